"""Finding a client, an appeal or a model with somebody on the line (stages 2, 3 and 5).

One field takes everything: a name with a typo in any order of words, a number in any spelling or a part of it, the
number of an appeal, an account or another system's, a serial number in either alphabet. The ids come by one
statement, written so that each branch runs on its index (tests/tickets/test_search_plans.py); the cards then by a
fixed number of queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy
from rapidfuzz import fuzz

from hotline.base.folding import fold, fold_model
from hotline.base.phones import digits_of, read_phone
from hotline.operators.models import User
from service_centers.models import Brand, Category, City
from tickets.models import Appeal, AppealReference, Client, ProductModel

# Fewer digits or letters than this name nobody.
SHORTEST_NUMBER = 3
SHORTEST_NAME = 2
# Below this many sure finds the search by likeness runs too.
ENOUGH = 5
# How like a word must be (0 to 1, pg_trgm's word similarity): «салавьев» is 0.44 like «соловьев».
ALIKE = 0.4
BIGGEST_NUMBER = 2**63 - 1

_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# A telephone with its extension, or a plain number: digits and what people put between them.
_NUMERIC = re.compile(r"[\d\s()+\-–./№#]+(?:(?:доб(?:авочный)?|вн(?:утр)?|ext)\.?\s*\d+)?", re.IGNORECASE)
# The keys of a Latin layout and what they print in the Russian one: «bdfyjd» is «иванов».
_LAYOUT = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюе")
_LATIN = re.compile(r"[a-z\[\];',.`\s]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A search as SQL that gives (id, rank), best first."""

    sql: str
    params: list[Any]

    def run(self) -> list[int]:
        with loosely_alike(), connection.cursor() as cursor:
            cursor.execute(self.sql, self.params)
            return [row[0] for row in cursor.fetchall()]


@contextmanager
def loosely_alike() -> Iterator[None]:
    """For one transaction: `%>` finds a word with one letter wrong in six (its own threshold, 0.6, one in twelve).

    And no scan of the whole table: the planner takes the likeness of two texts for as cheap as their equality, and
    for a common name reads 100,000 rows in 2.4 s instead of 6,000 by the index in 0.3 s.
    """
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true),"
            " set_config('enable_seqscan', 'off', true)",
            [str(ALIKE)],
        )
        yield


# --- Clients --------------------------------------------------------------------------------------
def find_clients(text: str, user: User, limit: int = 20) -> list[Client]:
    """Cards that the text may mean, best first. Five queries at the most, whatever is found.

    Too little text (two letters, three digits) finds nobody.
    """
    return _clients(client_ids(text, limit), user)


def client_ids(text: str, limit: int = 20) -> list[int]:
    """The cards that the text may mean, as pks, best first. Two queries."""
    statement = client_statement(text, limit)
    return statement.run() if statement else []


def find_by_phone(e164: str, user: User) -> list[Client]:
    """Whose number this is: the screen-pop. Families share numbers, so there may be several. Three queries."""
    if not e164:
        return []
    return list(Client.objects.visible_to(user).filter(phones__e164=e164).for_list().distinct().order_by("-pk")[:20])


def client_statement(text: str, limit: int = 20) -> Statement | None:
    """The statement of `find_clients`, None where there is too little to go by."""
    text = text.strip()[:200].replace("\x00", "")
    if _NUMERIC.fullmatch(text):
        return _by_number(text, limit) if len(digits_of(text)) >= SHORTEST_NUMBER else None
    words = _NAME_WORD.findall(fold(text))
    digits = digits_of(" ".join(re.findall(r"[\d()+\-\s]{3,}", text)))
    if words and re.search(r"\d", text) and _is_code(text):
        return _by_serial(fold_model(text), limit)
    if sum(map(len, words)) < SHORTEST_NAME:
        return None
    return _by_name(words, digits if len(digits) >= SHORTEST_NUMBER else "", limit, layout=_other_layout(text))


def _clients(ids: Sequence[int], user: User) -> list[Client]:
    if not ids:
        return []
    found = {client.pk: client for client in Client.objects.visible_to(user).filter(pk__in=ids).for_list()}
    return [found[pk] for pk in ids if pk in found]


def _is_code(text: str) -> bool:
    """A serial number, not a name with a number behind it: letters and digits in one word, or Latin among digits."""
    return any(re.search(r"\d", word) and re.search(r"[^\W\d_]", word) for word in text.split())


def _other_layout(text: str) -> list[str]:
    """The words that the same keys print in the Russian layout, where everything was typed in Latin."""
    folded = fold(text)
    return _NAME_WORD.findall(folded.translate(_LAYOUT)) if _LATIN.fullmatch(folded) else []


def _by_number(text: str, limit: int) -> Statement:
    """A phone (whole, then its end, then any part of it), an appeal, an account, another system's number, a serial."""
    digits = re.sub(r"\D", "", text)
    parts = {digits, digits_of(text)}
    if digits.startswith("8") and len(digits) > SHORTEST_NUMBER:
        parts.add("7" + digits[1:])  # «8916…»: the beginning of a number as Russians write it
    read = read_phone(text)
    branches: list[tuple[str, list[Any]]] = [
        ("SELECT client_id, 0 AS rank FROM tickets_clientphone WHERE e164 = %s AND e164 <> ''", [read.e164]),
    ]
    for part in sorted(parts):
        branches.append(
            (
                "SELECT client_id, CASE WHEN digits LIKE %s THEN 2 ELSE 3 END FROM tickets_clientphone"
                " WHERE digits LIKE %s ORDER BY 2, client_id DESC LIMIT %s",
                [f"%{part}", f"%{part}%", limit],
            )
        )
    number = int(digits)
    if number <= BIGGEST_NUMBER:
        branches += [
            ("SELECT client_id, 1 FROM tickets_appeal WHERE number = %s AND client_id IS NOT NULL", [number]),
            ("SELECT client_id, 1 FROM tickets_account WHERE number = %s", [number]),
        ]
    branches += [
        (
            "SELECT appeal.client_id, 2 FROM tickets_appealreference AS reference"
            " JOIN tickets_appeal AS appeal ON appeal.id = reference.appeal_id"
            " WHERE reference.number = %s AND appeal.client_id IS NOT NULL LIMIT %s",
            [text, limit],
        ),
        _serial_branch(digits, limit),
    ]
    return _union(branches, limit)


def _by_serial(folded: str, limit: int) -> Statement | None:
    if len(folded) < SHORTEST_NUMBER:
        return None
    return _union([_serial_branch(folded, limit)], limit)


def _serial_branch(folded: str, limit: int) -> tuple[str, list[Any]]:
    return (
        "SELECT account.client_id, CASE WHEN folded_serial = %s THEN 1 ELSE 4 END FROM tickets_appliance AS appliance"
        " JOIN tickets_account AS account ON account.id = appliance.account_id"
        " WHERE folded_serial LIKE %s ORDER BY 2, appliance.id DESC LIMIT %s",
        [folded, f"%{folded}%", limit],
    )


def _union(branches: Sequence[tuple[str, list[Any]]], limit: int) -> Statement:
    sql = " UNION ALL ".join(f"({branch})" for branch, _params in branches)
    params = [value for _branch, values in branches for value in values]
    return Statement(
        f"SELECT client_id, min(rank) FROM ({sql}) AS found (client_id, rank)"  # noqa: S608 - constants only
        " GROUP BY client_id ORDER BY 2, client_id DESC LIMIT %s",
        [*params, limit],
    )


def _by_name(words: Sequence[str], digits: str, limit: int, *, layout: Sequence[str] = ()) -> Statement:
    """Every word begins a word of the name, or stands inside one; where that finds few, every word is like one.

    The likeness is asked for only then, by a one-time filter. Two letters that changed places are looked for as such:
    trigrams do not see them.
    """
    conditions, params = _name_is(words)
    if layout:
        others, more = _name_is(layout)
        conditions, params = f"(({conditions}) OR ({others}))", [*params, *more]
    phone, phone_params = "", []
    if digits:
        phone = " AND EXISTS (SELECT 1 FROM tickets_clientphone AS p WHERE p.client_id = c.id AND p.digits LIKE %s)"
        phone_params = [f"%{digits}%"]
    exactness = " + ".join(
        "CASE WHEN ' ' || folded_name || ' ' LIKE %s THEN 0 WHEN ' ' || folded_name LIKE %s THEN 1 ELSE 2 END"
        for _word in words
    )
    exactness_params = [value for word in words for value in (f"% {_like(word)} %", f"% {_like(word)}%")]
    alike, alike_params = _name_is_like(words)
    # Strict: «Щуговеков Вера» must not borrow the beginning of «Вера» to stand before «Вебавеков» for «вебовеков».
    score = " + ".join("strict_word_similarity(%s, folded_name)" for _word in words)
    sql = f"""
        WITH sure AS (
            SELECT c.id, ({exactness})::float AS rank, folded_name FROM tickets_client AS c
            WHERE {conditions}{phone} ORDER BY 2, 3, 1 LIMIT %s
        ), alike AS (
            SELECT c.id, 100 - ({score}) AS rank, folded_name FROM tickets_client AS c
            WHERE (SELECT count(*) FROM sure) < %s AND {alike}{phone} ORDER BY 2, 3, 1 LIMIT %s
        )
        SELECT id, min(rank) FROM (SELECT * FROM sure UNION ALL SELECT * FROM alike) AS found
        GROUP BY id, folded_name ORDER BY 2, folded_name, 1 LIMIT %s
    """  # noqa: S608 - the words are parameters
    return Statement(
        sql,
        [
            *(*exactness_params, *params, *phone_params, limit),
            *(*words, ENOUGH, *alike_params, *phone_params, limit),
            limit,
        ],
    )


def _name_is(words: Sequence[str]) -> tuple[str, list[str]]:
    conditions, params = [], []
    for word in words:
        if len(word) >= 3:
            conditions.append("folded_name LIKE %s")
            params.append(f"%{_like(word)}%")
        else:  # an initial: it begins a word
            conditions.append("(folded_name LIKE %s OR folded_name LIKE %s)")
            params += [f"{_like(word)}%", f"% {_like(word)}%"]
    return " AND ".join(conditions), params


def _name_is_like(words: Sequence[str]) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    params: list[Any] = []
    for word in words:
        if len(word) < 5:
            condition, more = _name_is([word])
            conditions.append(condition)
            params += more
        else:
            conditions.append("(folded_name %%> %s OR folded_name LIKE ANY (%s::text[]))")
            params += [word, [f"%{_like(swapped)}%" for swapped in _swaps(word)]]
    return " AND ".join(conditions), params


def _swaps(word: str) -> list[str]:
    """The word with two neighbouring letters in each other's place: «ивнаов» → …, «иванов», …"""
    return [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1) if word[i] != word[i + 1]]


def _like(text: str) -> str:
    """The text as LIKE takes it literally."""
    return re.sub(r"([\\%_])", r"\\\1", text)


# --- Is the card there already? -------------------------------------------------------------------
_REASONS = {
    "same_phone": gettext_lazy("the same phone"),
    "same_name": gettext_lazy("the same name"),
    "similar_name": gettext_lazy("a similar name"),
    "same_city": gettext_lazy("the same city"),
}


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A card that may be the same person. `reasons`: same_phone, same_name, similar_name, same_city."""

    client: Client
    reasons: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """The reasons for a person."""
        return [str(_REASONS[reason]) for reason in self.reasons]


def likely_duplicates(
    *, last_name: str, first_name: str, phones: Iterable[str], city: City | None, user: User, exclude: int | None = None
) -> list[Duplicate]:
    """Cards that may already be this person's, the likeliest first: the warning while a new card is typed.

    The same number always; the same or nearly the same name in the same city, or where one of the cities is not known.
    A last name alone warns of nobody: there are too many Ivanovs. Six queries at the most.
    """
    numbers = {read.e164 for raw in phones if (read := read_phone(raw)).e164}
    last, first = fold(last_name), fold(first_name)
    ids: list[int] = []
    words = _NAME_WORD.findall(f"{last} {first}")
    if words and len(last) >= 3 and len(first) >= SHORTEST_NAME:
        ids = _by_name(words, "", 50).run()
    rows = Client.objects.visible_to(user).filter(Q(pk__in=ids) | Q(pk__in=_owners(numbers)))
    if exclude is not None:
        rows = rows.exclude(pk=exclude)
    found: list[tuple[int, Duplicate]] = []
    for client in rows.for_list():
        reasons: list[str] = []
        if any(phone.e164 in numbers for phone in client.phones.all() if phone.e164):
            reasons.append("same_phone")
        likeness = fuzz.ratio(f"{last} {first}", fold(f"{client.last_name} {client.first_name}"))
        elsewhere = city is not None and client.city_id is not None and city.pk != client.city_id
        if last and first and likeness >= 80 and (reasons or not elsewhere):
            reasons.append("same_name" if likeness == 100 else "similar_name")
        if reasons and city is not None and city.pk == client.city_id:
            reasons.append("same_city")
        if reasons:
            found.append((len(reasons) * 100 + int(likeness), Duplicate(client, tuple(reasons))))
    found.sort(key=lambda pair: (-pair[0], -pair[1].client.pk))
    return [duplicate for _score, duplicate in found[:5]]


def _owners(numbers: set[str]) -> QuerySet[Any]:
    return Client.objects.filter(phones__e164__in=numbers).values("pk")


# --- Appeals --------------------------------------------------------------------------------------
def find_appeals(text: str, user: User, limit: int = 20) -> list[Appeal]:
    """Appeals that the text may mean: by their number first, then those of the clients it finds, newest first.

    Six queries at the most.
    """
    first = Case(When(number=number_in(text), then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = Appeal.objects.visible_to(user).filter(appeals_named(text, limit)).for_list()
    return list(rows.order_by(first, "-registered_at", "-pk")[:limit])


def appeals_named(text: str, limit: int = 20) -> Q:
    """The condition of `find_appeals`: a number of ours or another system's, a phone, whatever names a client."""
    text = text.strip()[:200].replace("\x00", "")
    wanted = Q(client__in=client_ids(text, limit))
    if (number := number_in(text)) is not None:
        wanted |= Q(number=number)
    if _NUMERIC.fullmatch(text) and (e164 := read_phone(text).e164):
        wanted |= Q(phone=e164)
    if len(text) >= SHORTEST_NUMBER:
        wanted |= Q(pk__in=AppealReference.objects.filter(number=text).values("appeal"))
    return wanted


def number_in(text: str) -> int | None:
    """«№ 2600123» → 2600123; None where it is no appeal's number."""
    digits = text.strip().lstrip("№#nN ").strip()
    return int(digits) if digits.isdecimal() and len(digits) < 19 else None


# --- Models ---------------------------------------------------------------------------------------
def find_models(
    text: str, *, brand: Brand | None = None, category: Category | None = None, limit: int = 10
) -> list[ProductModel]:
    """Models of the directory: either alphabet, a part of the name, a typo, the brand in front. Three queries."""
    text = text.strip()[:100].replace("\x00", "")
    if brand is None:
        brand, text = _brand_in_front(text)
    folded = fold_model(text)
    rows = ProductModel.objects.filter(is_active=True).for_list()
    if brand is not None:
        rows = rows.filter(brand=brand)
    if category is not None:
        rows = rows.filter(category=category)
    if not folded:
        return list(rows.order_by("name", "pk")[:limit]) if brand is not None or category is not None else []
    rank = Case(
        When(folded_name=folded, then=Value(0)),
        When(folded_name__startswith=folded, then=Value(1)),
        When(folded_name__contains=folded, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    wanted = Q(folded_name__contains=folded)
    if len(folded) >= 4:
        wanted |= Q(folded_name__trigram_word_similar=folded)
    with loosely_alike():
        ranked = list(rows.filter(wanted).annotate(rank=rank).order_by("rank", "folded_name", "pk")[: limit * 5])
    sure: list[ProductModel] = [model for model in ranked if model.rank < 3]
    alike = sorted(ranked, key=lambda model: (-fuzz.ratio(folded, model.folded_name), model.pk))
    return (sure or [*alike])[:limit]


def _brand_in_front(text: str) -> tuple[Brand | None, str]:
    """«Vestra RF-10» → (Vestra, «RF-10»): operators read the nameplate from its beginning."""
    word, _space, rest = text.partition(" ")
    if len(word) < 3:
        return None, text
    named = [brand for brand in Brand.objects.all() if fold(brand.name).startswith(fold(word))]
    return (named[0], rest) if len(named) == 1 else (None, text)
