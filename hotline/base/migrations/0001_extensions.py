"""What every room's tables stand on: btree_gist (one alias in force at a time) and pg_trgm (names with a typo).

Both are trusted extensions since PostgreSQL 13: the owner of the database may create them, no superuser is needed.
The first migration of a room whose indexes or constraints need them depends on this one.
"""

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
    ]
