"""Who works in the demo: fixed logins for a visitor, colleagues nobody can sign in as, one exchange with its token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from hotline.operators.models import Alias, ApiToken, Role, User

# Public on purpose: they are in the README. `hotline.desk.checks` refuses to start a production that has them.
DEMO_PASSWORD = "hotline-demo-2026"  # noqa: S105
DEMO_TOKEN = "demo-exchange-token-0000000000000000000000000000"  # noqa: S105

DEMO_LOGINS = [
    ("operator", _("operator")),
    ("operator2", _("second operator")),
    ("supervisor", _("supervisor")),
    ("admin", _("administrator")),
]
# Where the operators sat on their last shift: sign-in offers it again.
_TELEPHONES = range(101, 200)


@dataclass(frozen=True)
class Staff:
    """Those whom the other rooms' demo data belongs to; `operator` and `operator2` come first."""

    operators: list[User]
    supervisor: User
    exchange: User


_OPERATORS = [
    # login, last, first, middle name; the alias voiced, if any
    ("operator", "Смирнова", "Алёна", "Сергеевна", ("Анна", "Анна Сергеевна Смирнова", Alias.State.ACKNOWLEDGED)),
    ("operator2", "Ковалёв-Заречный", "Борис", "Ильич", None),
    ("m.gerasimova", "Герасимова", "Майя", "Андреевна", ("Мария", "Мария Андреевна Герасимова", Alias.State.DECLARED)),
    ("i.sadykov", "Садыков", "Ильдар", "Ринатович", ("Игорь", "Игорь Садыков", Alias.State.ACKNOWLEDGED)),
    ("o.pyatykh", "Пятых", "Ольга", "Викторовна", None),
    ("t.chernenko", "Черненко", "Тарас", "Олегович", ("Тимур", "Тимур Черненко", Alias.State.STOPPED)),
    ("e.yolkina", "Ёлкина", "Екатерина", "Павловна", ("Анна", "Анна Павловна Ёлкина", Alias.State.DECLARED)),
    ("s.mkrtchyan", "Мкртчян", "Сюзанна", "Арменовна", ("Светлана", "Светлана Мкртчян", Alias.State.RETIRED)),
]


def build(now: datetime) -> Staff:
    """Make the staff as of `now`; the aliases were declared in the past weeks."""
    password = make_password(DEMO_PASSWORD)
    people = [
        User(
            username=login, last_name=last, first_name=first, middle_name=middle, role=Role.OPERATOR,
            password=password if login.startswith("operator") else make_password(None),
            state_since=now, date_joined=now - timedelta(days=400 - 30 * position),
        )
        for position, (login, last, first, middle, _alias) in enumerate(_OPERATORS)
    ]  # fmt: skip
    supervisor = User(
        username="supervisor", last_name="Берёзкина", first_name="Наталья", middle_name="Юрьевна",
        role=Role.SUPERVISOR, password=password, state_since=now, date_joined=now - timedelta(days=900),
    )  # fmt: skip
    admin = User(
        username="admin", last_name="Соколов", first_name="Павел", middle_name="Андреевич", role=Role.SUPERVISOR,
        is_superuser=True, password=password, state_since=now, date_joined=now - timedelta(days=900),
    )  # fmt: skip
    exchange = User(
        username="exchange", last_name="Демо-АТС", role=Role.INTEGRATION, password=make_password(None), state_since=now
    )
    User.objects.bulk_create([*people, supervisor, admin, exchange])
    for person, telephone in zip(people, _TELEPHONES, strict=False):
        User.objects.filter(pk=person.pk).update(extension=str(telephone))
    User.objects.filter(role=Role.OPERATOR).update(extension="")
    _aliases(people, supervisor, now)
    ApiToken.objects.create(
        user=exchange,
        name="Демо-АТС",
        prefix=DEMO_TOKEN[:8],
        digest=ApiToken.digest_of(DEMO_TOKEN),
        scopes=list(ApiToken.Scope.values),
        created_at=now,
        expires_at=now + timedelta(days=3650),
    )
    return Staff(operators=people, supervisor=supervisor, exchange=exchange)


def _aliases(people: list[User], supervisor: User, now: datetime) -> None:
    state = Alias.State
    rows = []
    for position, (person, entry) in enumerate(zip(people, _OPERATORS, strict=True)):
        if entry[4] is None:
            continue
        spoken, full, is_now = entry[4]
        declared = now - timedelta(days=60 - 6 * position, hours=position)
        if is_now == state.DECLARED:
            declared = now - timedelta(hours=2 + position, minutes=17)
        ended = declared + timedelta(days=9) if is_now in (state.STOPPED, state.RETIRED) else None
        decided = is_now in (state.ACKNOWLEDGED, state.STOPPED)
        rows.append(
            Alias(
                operator=person, spoken_name=spoken, full_form=full, state=is_now, declared_at=declared,
                period=DateTimeTZRange(declared, ended),
                decided_by=supervisor if decided else None,
                decided_at=(ended or declared + timedelta(hours=1)) if decided else None,
                reason="Клиенты путают с коллегой" if is_now == state.STOPPED else "",
            )
        )  # fmt: skip
    Alias.objects.bulk_create(rows)
