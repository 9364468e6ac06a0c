"""Factories of every room's models, with traits; one place, so that a test says only what it is about.

Phones are of +7 9xx 000-0x-xx, which nobody has. A factory writes rows, it does not call verbs: a journal stays empty
unless the test acts. `AppealFactory()` is a consultation; `AppealFactory(repair=True)` a complete request that waits
for a centre; `AppealFactory(assigned=True)` one that a centre has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from hotline.operators.models import ApiToken, Role, User
from service_centers.models import ServiceCenter, WorkKind
from sms.models import SmsMessage, SmsTemplate
from tests.service_centers.factories import ServiceCenterFactory, brand, category, city
from tickets.models import (
    Account,
    Appeal,
    AppealMessage,
    AppealReference,
    Appliance,
    Assignment,
    Client,
    ClientPhone,
    Comment,
    DateSource,
    Document,
    DocumentKind,
    FactSource,
    ModelSuggestion,
    ProductModel,
    Reminder,
    Topic,
    WarrantyRule,
)

PASSWORD = "верно-2026"


def phone_number(n: int) -> str:
    """The n-th of 1000 numbers that nobody has."""
    return f"+79{16 + n // 100 % 10:02d}0000{n % 100:03d}"[:12]


# --- Staff ----------------------------------------------------------------------------------------
class UserFactory(DjangoModelFactory):
    """An operator; `supervisor=True`, `integration=True` for the other roles. Signs in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        supervisor = factory.Trait(role=Role.SUPERVISOR)
        integration = factory.Trait(role=Role.INTEGRATION, first_name="", last_name="")

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = "Анна"
    last_name = factory.Sequence(lambda n: f"Операторова{n}")
    role = Role.OPERATOR

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(password=kwargs.pop("password", PASSWORD), **kwargs)


def api_token(user: User, *scopes: str) -> str:
    """A token of a machine in plain; with every scope where none is named."""
    plain = uuid4().hex
    ApiToken.objects.create(
        user=user,
        name="test",
        prefix=plain[:8],
        digest=ApiToken.digest_of(plain),
        scopes=list(scopes) or list(ApiToken.Scope.values),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return plain


# --- The directory --------------------------------------------------------------------------------
def center(name: str = "Казань-Сервис", **fields: Any) -> ServiceCenter:
    """A centre that can be asked for anything of Vestra: skills, hours and a phone unless the test says otherwise."""
    defaults: dict[str, Any] = {
        "name": name,
        "skills": [("Vestra", None, kind) for kind in WorkKind],
        "hours": [(day, "9:00", "18:00") for day in range(1, 6)],
        "phones": ["8 843 200-00-10"],
    }
    return ServiceCenterFactory(**{**defaults, **fields})


# --- Models and warranty --------------------------------------------------------------------------
class ProductModelFactory(DjangoModelFactory):
    class Meta:
        model = ProductModel

    brand = factory.LazyFunction(brand)
    category = factory.LazyFunction(category)
    name = factory.Sequence(lambda n: f"RF-{1000 + n}")


class WarrantyRuleFactory(DjangoModelFactory):
    """24 months on everything of the brand."""

    class Meta:
        model = WarrantyRule

    brand = factory.LazyFunction(brand)
    category = None
    months = 24
    valid_from = date(2015, 1, 1)


class ModelSuggestionFactory(DjangoModelFactory):
    class Meta:
        model = ModelSuggestion

    text = factory.Sequence(lambda n: f"XX-{n}")


# --- Clients --------------------------------------------------------------------------------------
class ClientFactory(DjangoModelFactory):
    """A card with its main account (`account=False`: without). `phones=[…]` adds numbers, as typed."""

    class Meta:
        model = Client
        skip_postgeneration_save = True

    last_name = factory.Sequence(lambda n: f"Клиентов{n}")
    first_name = "Иван"
    middle_name = "Петрович"
    city = factory.LazyFunction(city)
    address = "ул. Декабристов, 85, кв. 12"

    @factory.post_generation
    def account(self: Client, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted is not False:
            AccountFactory(client=self, **kwargs)

    @factory.post_generation
    def phones(self: Client, create: bool, extracted: Iterable[str] | None, **kwargs: Any) -> None:
        for position, raw in enumerate(extracted or ()):
            ClientPhoneFactory(client=self, raw=raw, position=position)


class ClientPhoneFactory(DjangoModelFactory):
    """A number as typed (`raw`); what is read of it follows."""

    class Meta:
        model = ClientPhone

    client = factory.SubFactory(ClientFactory)
    raw = factory.Sequence(phone_number)

    @classmethod
    def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
        from hotline.base.phones import read_phone

        read = read_phone(kwargs["raw"])
        facts = {"e164": read.e164, "region": read.region, "line_type": read.line_type, "extension": read.extension}
        return {**facts, **kwargs}


class AccountFactory(DjangoModelFactory):
    """The main account; `second=True` another one, with its reason."""

    class Meta:
        model = Account

    class Params:
        second = factory.Trait(is_main=False, reason="Дача")

    number = factory.Sequence(lambda n: 500001 + n)
    client = factory.SubFactory(ClientFactory, account=False)


def main_account(client: Client) -> Account:
    return client.accounts.get(is_main=True)


class ApplianceFactory(DjangoModelFactory):
    """A fridge of Vestra, bought a year ago by the receipt."""

    class Meta:
        model = Appliance

    account = factory.SubFactory(AccountFactory)
    model_text = "RF-1000"
    brand = factory.LazyFunction(brand)
    category = factory.LazyFunction(category)
    serial_number = factory.Sequence(lambda n: f"SN{n:08d}")
    purchase_date = factory.LazyFunction(lambda: timezone.localdate() - timedelta(days=365))
    purchase_date_source = DateSource.RECEIPT
    store = "М.Видео"


# --- Appeals --------------------------------------------------------------------------------------
class TopicFactory(DjangoModelFactory):
    class Meta:
        model = Topic

    class Params:
        atypical = factory.Trait(is_atypical=True)

    code = factory.Sequence(lambda n: f"topic-{n}")
    name = factory.Sequence(lambda n: f"Тема {n}")


class AppealFactory(DjangoModelFactory):
    """A registered consultation of a client with a card.

    Traits: `repair` (complete, waits for a centre with a reason), `installation`, `assigned` (a repair that `center`
    has), `closed`, `referred` (contacts of `center` were given), `cancelled`, `anonymous` (no card).
    """

    class Meta:
        model = Appeal
        skip_postgeneration_save = True

    class Params:
        request_facts = factory.Trait(
            full_name=factory.LazyAttribute(lambda o: o.client.full_name),
            city=factory.LazyFunction(city),
            brand=factory.LazyFunction(brand),
            category=factory.LazyFunction(category),
            model_text="RF-1000",
            model_source=FactSource.NAMEPLATE,
            purchase_date=factory.LazyFunction(lambda: timezone.localdate() - timedelta(days=365)),
            purchase_date_source=DateSource.RECEIPT,
            store="М.Видео",
            store_source=FactSource.DOCUMENTS,
        )
        repair = factory.Trait(
            request_facts=True, kind=Appeal.Kind.REPAIR, no_center_reason=Appeal.NoCenterReason.CLIENT_DECIDES
        )
        installation = factory.Trait(
            request_facts=True, kind=Appeal.Kind.INSTALLATION, no_center_reason=Appeal.NoCenterReason.CLIENT_DECIDES
        )
        assigned = factory.Trait(
            request_facts=True, kind=Appeal.Kind.REPAIR, state=Appeal.State.ASSIGNED, no_center_reason=""
        )
        closed = factory.Trait(state=Appeal.State.CLOSED)
        cancelled = factory.Trait(state=Appeal.State.CANCELLED)
        referred = factory.Trait(state=Appeal.State.REFERRED, referred_to=factory.LazyFunction(center))
        anonymous = factory.Trait(client=None, account=None, full_name="", phone="")

    number = factory.Sequence(lambda n: 900001 + n)
    kind = Appeal.Kind.CONSULTATION
    state = Appeal.State.REGISTERED
    client = factory.SubFactory(ClientFactory)
    account = factory.LazyAttribute(lambda o: main_account(o.client) if o.client else None)
    description = "Холодильник гудит и не морозит"
    full_name = factory.LazyAttribute(lambda o: o.client.full_name if o.client else "")

    @factory.post_generation
    def center(self: Appeal, create: bool, extracted: ServiceCenter | None, **kwargs: Any) -> None:
        if extracted is not None or self.state in (Appeal.State.ASSIGNED, Appeal.State.ACCEPTED, Appeal.State.IN_WORK):
            accepted = self.state != Appeal.State.ASSIGNED
            AssignmentFactory(
                appeal=self,
                service_center=extracted or center(),
                state=Assignment.State.ACCEPTED if accepted else Assignment.State.OFFERED,
            )


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = Assignment

    appeal = factory.SubFactory(AppealFactory, repair=True)
    service_center = factory.LazyFunction(center)
    rank = 1
    reasons = ["in_city", "whole_brand", "open_now"]


class DocumentKindFactory(DjangoModelFactory):
    class Meta:
        model = DocumentKind
        django_get_or_create = ("code",)

    code = "act"
    name = factory.LazyAttribute(lambda o: {"act": "Акт", "rc": "RC", "letter": "Письмо"}.get(o.code, o.code))


class DocumentFactory(DjangoModelFactory):
    """An act; `letter=True` a letter that waits for an answer."""

    class Meta:
        model = Document

    class Params:
        letter = factory.Trait(kind=factory.SubFactory(DocumentKindFactory, code="letter"), is_answered=False)

    appeal = factory.SubFactory(AppealFactory)
    kind = factory.SubFactory(DocumentKindFactory)
    number = factory.Sequence(lambda n: f"А-{n}")
    date = factory.LazyFunction(timezone.localdate)


class ReminderFactory(DjangoModelFactory):
    """Due in an hour; `overdue=True` since yesterday, `done=True` settled."""

    class Meta:
        model = Reminder

    class Params:
        overdue = factory.Trait(due_at=factory.LazyFunction(lambda: timezone.now() - timedelta(days=1)))
        done = factory.Trait(done_at=factory.LazyFunction(timezone.now), done_by=factory.SelfAttribute("to"))

    appeal = factory.SubFactory(AppealFactory)
    to = factory.SubFactory(UserFactory)
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
    text = "Уточнить в АСЦ дату визита"


class CommentFactory(DjangoModelFactory):
    """By a member of staff; `by_center=True` by a service centre."""

    class Meta:
        model = Comment

    class Params:
        by_center = factory.Trait(author=None, service_center=factory.LazyFunction(center))

    appeal = factory.SubFactory(AppealFactory)
    author = factory.SubFactory(UserFactory)
    text = "Ждём запчасть со склада"


# --- Messages -------------------------------------------------------------------------------------
class SmsTemplateFactory(DjangoModelFactory):
    """«A request was registered», with the appeal's number and the centre's contacts."""

    class Meta:
        model = SmsTemplate

    class Params:
        contacts = factory.Trait(
            moment=SmsTemplate.Moment.SERVICE_CENTER_CONTACTS,
            text="АСЦ: {center_name}, {center_address}, тел. {center_phones}.",
        )
        out_of_warranty = factory.Trait(
            moment=SmsTemplate.Moment.OUT_OF_WARRANTY,
            text="Обращение №{appeal_number}. Ремонт платный. АСЦ: {center_name}, тел. {center_phones}.",
        )

    code = factory.Sequence(lambda n: f"template-{n}")
    moment = SmsTemplate.Moment.REQUEST_REGISTERED
    name = "Заявка зарегистрирована"
    text = "Заявка №{appeal_number}. АСЦ: {center_name}, {center_address}, тел. {center_phones}, {center_hours}."


class SmsMessageFactory(DjangoModelFactory):
    """Queued; traits for where it got to."""

    class Meta:
        model = SmsMessage

    class Params:
        delivered = factory.Trait(state=SmsMessage.State.DELIVERED, gateway="development", gateway_id="1")
        undelivered = factory.Trait(state=SmsMessage.State.UNDELIVERED, gateway="development", gateway_id="1")
        dictated = factory.Trait(state=SmsMessage.State.DICTATED)

    action_id = factory.LazyFunction(uuid4)
    to = "+79160000101"
    text = "Заявка №900001. АСЦ: Казань-Сервис, тел. 8 843 200-00-10."


class AppealMessageFactory(DjangoModelFactory):
    class Meta:
        model = AppealMessage

    appeal = factory.SubFactory(AppealFactory)
    message = factory.SubFactory(SmsMessageFactory)
    purpose = AppealMessage.Purpose.REQUEST


class AppealReferenceFactory(DjangoModelFactory):
    class Meta:
        model = AppealReference

    appeal = factory.SubFactory(AppealFactory)
    system = AppealReference.System.GSIS
    number = factory.Sequence(lambda n: f"G-{n}")


def ago(**units: float) -> datetime:
    """`ago(days=3)`: a moment in the past."""
    return timezone.now() - timedelta(**units)
