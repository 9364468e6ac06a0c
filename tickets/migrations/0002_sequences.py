"""The numbers people see come from sequences: gaps are allowed, the same number twice is not."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE tickets_account_number_seq START 100001 OWNED BY tickets_account.number;",
            "DROP SEQUENCE tickets_account_number_seq;",
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE tickets_appeal_number_seq START 2600001 OWNED BY tickets_appeal.number;",
            "DROP SEQUENCE tickets_appeal_number_seq;",
        ),
    ]
