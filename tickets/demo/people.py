"""The demo's cards: clients with their phones, accounts and appliances."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hotline.base.phones import read_phone
from service_centers.models import City
from tickets.demo import catalogue, names, texts
from tickets.models import Account, Appliance, Client, ClientPhone, DateSource, ProductModel

CLIENTS = 300
FAMILIES = 24  # two cards that share a number and an address
SECOND_ACCOUNTS = [
    "Дача", "Квартира родителей", "ООО «Тёплый дом»", "Сдаёт квартиру, техника своя", "ИП, кофейня", "Вторая квартира",
    "Гостевой дом", "Дача в Озёрном", "Детский сад № 14", "Общежитие", "Хостел", "Дом сына",
]  # fmt: skip
CITY_CHOICE = 70
# Pairs of places that share a name.
NAMESAKES = ["Кировск", "Железногорск", "Мирный", "Берёзовский", "Благовещенск"]


@dataclass
class Household:
    """A card with what hangs on it, before it is saved."""

    client: Client
    account: Account
    phones: list[ClientPhone] = field(default_factory=list)
    second: Account | None = None
    appliances: list[Appliance] = field(default_factory=list)

    @property
    def number(self) -> ClientPhone | None:
        return self.phones[0] if self.phones else None


def invent(rng: random.Random, models: list[ProductModel], now: datetime) -> list[Household]:
    """Three hundred households; families come in pairs, some live abroad, some give no number that can be read."""
    numbers = names.Numbers(rng)
    cities = list(City.objects.order_by("-population", "pk")[:CITY_CHOICE])
    weights = [city.population**0.75 for city in cities]
    namesakes = list(City.objects.filter(name__in=NAMESAKES).order_by("name", "pk"))
    found: list[Household] = []
    for index in range(CLIENTS):
        if index % 12 == 11 and index // 12 < FAMILIES:
            found.append(_relative(rng, found[-1], numbers, now))
            continue
        city = rng.choice(namesakes) if namesakes and rng.random() < 0.05 else rng.choices(cities, weights)[0]
        found.append(_household(rng, index, city, numbers, now))
    for household in found:
        household.appliances = [
            appliance(rng, household.account, rng.choice(models), _bought(rng, now))
            for _ in range(rng.choices([1, 2, 3], [6, 3, 1])[0])
        ]
    for household, reason in zip(rng.sample(found, len(SECOND_ACCOUNTS)), SECOND_ACCOUNTS, strict=True):
        household.second = Account(client=household.client, is_main=False, reason=reason)
        household.appliances.append(appliance(rng, household.second, rng.choice(models), _bought(rng, now)))
    return found


def appliance(rng: random.Random, account: Account, model: ProductModel, bought: date) -> Appliance:
    """An appliance of a model, its name as the client reads it, its date from wherever it is known."""
    source = rng.choices(
        [DateSource.RECEIPT, DateSource.CLIENT, DateSource.MANUFACTURE, DateSource.UNKNOWN], [60, 25, 8, 7]
    )[0]
    known = source != DateSource.UNKNOWN
    return Appliance(
        account=account,
        product_model=model,
        model_text=_as_told(rng, model.name),
        brand=model.brand,
        category=model.category,
        serial_number=_serial(rng) if rng.random() < 0.85 else "",
        purchase_date=bought if known else None,
        purchase_date_source=source,
        store=rng.choice(catalogue.STORES) if rng.random() < 0.9 else "",
        city=account.client.city,
    )


def _household(rng: random.Random, index: int, city: City, numbers: names.Numbers, now: datetime) -> Household:
    if index < len(names.KAZAKH):
        last, first, middle = names.KAZAKH[index]
        client, raws = Client(last_name=last, first_name=first, middle_name=middle), [numbers.kazakh()]
        client.city_text = rng.choice(["Алматы", "Астана", "Уральск", "Костанай"])
    elif index - len(names.KAZAKH) < len(names.FOREIGN):
        place = index - len(names.KAZAKH)
        last, first, middle, pattern = names.FOREIGN[place]
        client = Client(last_name=last, first_name=first, middle_name=middle)
        client.city_text = ["Минск", "Ереван", "Ташкент", "Хайфа"][place]
        raws = [pattern.format(place + 2)]
    else:
        name = names.person(rng)
        client = Client(last_name=name.last, first_name=name.first, middle_name=name.middle, city=city)
        raws = _raws(rng, city, numbers)
        if rng.random() < 0.03:
            client.city, client.city_text = None, rng.choice(texts.VILLAGES)
    if rng.random() < 0.8:
        client.address = _address(rng)
    if rng.random() < 0.12:
        client.email = f"client{index}@mail.example"
    if rng.random() < 0.06:
        client.note = rng.choice(texts.STAFF_COMMENTS)
    client.created_at = _when_registered(rng, now)
    return Household(client, Account(client=client), [_phone(client, raw, at) for at, raw in enumerate(raws)])


def _relative(rng: random.Random, of: Household, numbers: names.Numbers, now: datetime) -> Household:
    """A wife, a son, a mother: the same number and address, often the same last name."""
    pair = next((pair for pair in names.LAST_NAMES if of.client.last_name in pair), None)
    name = names.person(rng, last=pair if rng.random() < 0.8 else None)
    client = Client(
        last_name=name.last,
        first_name=name.first,
        middle_name=name.middle,
        city=of.client.city,
        city_text=of.client.city_text,
        address=of.client.address,
        created_at=_when_registered(rng, now),
    )
    raws = [of.phones[0].raw if of.phones else numbers.mobile()]
    if rng.random() < 0.4:
        raws.append(numbers.mobile())
    return Household(client, Account(client=client), [_phone(client, raw, at) for at, raw in enumerate(raws)])


def _raws(rng: random.Random, city: City, numbers: names.Numbers) -> list[str]:
    area = names.AREA_CODES.get(city.name)
    raws = [numbers.fixed(area)] if area and rng.random() < 0.08 else [numbers.mobile()]
    if rng.random() < 0.18:
        raws.append(numbers.mobile())
    if rng.random() < 0.02:
        raws.append(rng.choice(names.UNREADABLE))
    return raws


def _phone(client: Client, raw: str, position: int) -> ClientPhone:
    read = read_phone(raw)
    return ClientPhone(
        client=client,
        raw=raw,
        e164=read.e164,
        region=read.region,
        line_type=read.line_type,
        extension=read.extension,
        position=position,
    )


def _when_registered(rng: random.Random, now: datetime) -> datetime:
    """Years before the appeals of the demo; who first called within them is registered in that call."""
    return now - timedelta(days=rng.randrange(200, 1500), minutes=rng.randrange(600))


def _bought(rng: random.Random, now: datetime) -> date:
    """Half of the appliances are under two years old; none was bought within the half year of the demo."""
    return (now - timedelta(days=190 + min(3200, int(rng.expovariate(1 / 550))))).date()


def _address(rng: random.Random) -> str:
    building = f", корп. {rng.randrange(1, 4)}" if rng.random() < 0.15 else ""
    flat = f", кв. {rng.randrange(1, 240)}" if rng.random() < 0.8 else ""
    return f"{rng.choice(texts.STREETS)}, {rng.randrange(1, 180)}{building}{flat}"


_LATIN = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")


def _as_told(rng: random.Random, name: str) -> str:
    """As on the nameplate, or as it was typed: other letters, no hyphen, small letters."""
    spelling = rng.random()
    if spelling < 0.7:
        return name
    if spelling < 0.8:
        return name.replace("-", " ").replace("  ", " ")
    return name.lower() if spelling < 0.9 else name.translate(_LATIN).replace(" ", "")


def _serial(rng: random.Random) -> str:
    letters = rng.choice(["SN", "VS", "ЗК", "AQ", "С"])
    return f"{letters}{rng.randrange(16, 27):02d}{rng.randrange(10, 53)}-{rng.randrange(1000000):06d}"
