"""Staff for tests: people with a role, machines, aliases in each state."""

from __future__ import annotations

from datetime import datetime, timedelta

import factory
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from hotline.operators import actions
from hotline.operators.models import Alias, ApiToken, Role, User
from tests import factories


class UserFactory(factories.UserFactory):
    """An operator whose first name no test here takes for an alias; `superuser` beside the traits of all rooms."""

    class Params:
        superuser = factory.Trait(role=Role.SUPERVISOR, is_superuser=True)

    first_name = "Мария"
    middle_name = "Петровна"


class AliasFactory(factory.django.DjangoModelFactory):
    """An alias in force that nobody has acknowledged yet; `since` and `until` are its period."""

    class Meta:
        model = Alias

    class Params:
        since = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
        until: datetime | None = None

    operator = factory.SubFactory(UserFactory)
    spoken_name = "Анна"
    full_form = "Белова Анна Сергеевна"
    declared_at = factory.LazyAttribute(lambda alias: alias.since)
    period = factory.LazyAttribute(lambda alias: DateTimeTZRange(alias.since, alias.until))
    state = factory.LazyAttribute(lambda alias: Alias.State.RETIRED if alias.until else Alias.State.DECLARED)


def issue(user: User, *scopes: str, days: int = 1) -> tuple[ApiToken, str]:
    """A token of a machine, and itself in plain."""
    return actions.issue_token(
        user=user,
        name="probe",
        scopes=scopes or (ApiToken.Scope.READ,),
        expires_at=timezone.now() + timedelta(days=days),
        actor=None,
    )
