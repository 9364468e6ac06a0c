"""Who and what the benchmarks act with: staff, an exchange, a centre, a hundred thousand cards, one open call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from calls.models import Call, ScriptVersion
from hotline.base.phones import read_phone
from hotline.operators.models import ApiToken, Role, User
from service_centers.models import Brand, Category, ServiceCenter, WorkKind
from tests.bench.data import COMMON, fill
from tests.calls.factories import CallFactory
from tests.factories import UserFactory, api_token, center
from tests.live.streams import session_of
from tickets.models import Appliance, Client
from tickets.search import ALIKE

OPERATORS = 150
TARGETS = 12  # different cards that are asked for in turn: no figure is that of one lucky row
RARE = [
    "Тредиаковский", "Вознесенская", "Заболоцкий", "Гогоберидзе", "Мкртчян", "Хмельницкая", "Оболенцев",
    "Щедрин-Заозёрный", "Ястржембский", "Фурманова", "Бестужева", "Чекалина",
]  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """`sessions`: one of each operator, all of them ready; the first of them has `call`."""

    sessions: list[str]
    exchange: str  # token of scope telephony
    machine: str  # token of scopes read and write
    machine_user: User
    call: Call
    center: ServiceCenter
    rare: list[Client]  # with a name that few have
    common: list[Client]  # with a name that very many have
    callers: list[str]  # numbers of cards, as an exchange says them


def build(clients: int) -> Scene:
    """Migrate the empty database and fill it."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_reference", verbosity=0)
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:  # what the search sets for itself, for the bare views
        cursor.execute(f"ALTER DATABASE {name} SET pg_trgm.word_similarity_threshold = {ALIKE}")
    operators = User.objects.bulk_create(
        User(
            username=f"operator{number}",
            password="!",
            first_name="Анна",
            last_name=f"Операторова{number}",
            role=Role.OPERATOR,
            extension=str(1000 + number),
            state=User.State.READY,
        )
        for number in range(OPERATORS)
    )
    User.objects.create(username="supervisor", password="!", role=Role.SUPERVISOR)
    exchange = UserFactory(integration=True, username="exchange")
    machine = UserFactory(integration=True, username="machine")
    place = center(
        name="Казань-Сервис", skills=[("Vestra", None, kind) for kind in WorkKind], phones=["8 843 200-00-10"]
    )
    fill(
        clients,
        operators=[operator.pk for operator in operators],
        brand=Brand.objects.get(name="Vestra").pk,
        category=Category.objects.get_or_create(name="Холодильники")[0].pk,
    )
    cards = list(Client.objects.prefetch_related("phones").order_by("pk")[:2000])
    rare = _renamed(_scattered([card for card in cards if card.last_name not in COMMON]))
    common = _scattered([card for card in cards if card.last_name in COMMON])
    numbers = [read_phone(card.phones.all()[0].e164).e164 for card in cards[:400]]
    return Scene(
        sessions=[session_of(operator) for operator in operators],
        exchange=api_token(exchange, ApiToken.Scope.TELEPHONY),
        machine=api_token(machine, ApiToken.Scope.READ, ApiToken.Scope.WRITE),
        machine_user=machine,
        call=_open_call(operators[0], rare[0]),
        center=place,
        rare=rare,
        common=common,
        callers=[number for number in numbers if number],
    )


def _scattered(cards: list[Client]) -> list[Client]:
    return cards[:: max(1, len(cards) // TARGETS)][:TARGETS]


def _renamed(cards: list[Client]) -> list[Client]:
    """The names made of syllables resemble each other by the dozen; who is looked for must be one that few resemble."""
    for card, name in zip(cards, RARE, strict=True):
        card.last_name = name
        card.save(update_fields=["last_name"])
    return cards


def _open_call(operator: User, client: Client) -> Call:
    """A dialog with a client whose card is chosen."""
    account = client.accounts.get()
    return CallFactory(
        dialog=True,
        operator=operator,
        number=client.phones.all()[0].e164,
        client=client,
        account=account,
        spoken_name="Анна",
        script_version=ScriptVersion.objects.in_force(timezone.now()).first(),
        answered_at=timezone.now() - timedelta(seconds=40),
    )


def appliance_of(client: Client) -> Appliance:
    return Appliance.objects.get(account__client=client)
