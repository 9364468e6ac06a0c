"""Finding a city as an operator types it, with the client on the line: no ё, no hyphen, a typo, the wrong layout."""

from __future__ import annotations

import re

from hotline.base.folding import fold
from service_centers.models import City

# «г. Москва», «город Казань»: the word before the name is not the name.
_PREFIX = re.compile(r"^(?:г|гор|пос|пгт|ст|с|д)\.\s*|^(?:г|город|поселок|пгт|станица|село|деревня)\s+")
# «Кировск (Мурманская область)», «Кировск, мурманская»: the part that tells two cities of one name apart.
_REGION = re.compile(r"[(,]\s*([^()]*)\)?\s*$")
# The keys of a Latin layout, and what they print in the Russian one: «vjcrdf» is «москва».
_LAYOUT = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюе")
_LATIN = re.compile(r"^[a-z\[\];',.` -]+$")


def fold_city(text: str) -> str:
    """«г. Ростов-на-Дону» → «ростов на дону»: how `City.folded_name` writes it; "" where nothing is left."""
    return fold(_PREFIX.sub("", fold(text).replace("-", " ")))


def _read(text: str) -> tuple[str, str]:
    """What was typed as (folded name, folded region or "")."""
    typed = fold(text.replace("\x00", ""))
    if _LATIN.match(typed) and re.search("[a-z]", typed):
        typed = fold(typed.translate(_LAYOUT))
    region = ""
    if found := _REGION.search(typed):
        region = found.group(1).strip()
        typed = typed[: found.start()]
    return fold_city(typed), region


def find_cities(text: str, *, limit: int = 10) -> list[City]:
    """Cities that the text may mean, best first: «орел» finds «Орёл», «Екатеренбург» its city. One query.

    The very name comes before a beginning, that before a later word («новгород»), and names that are only alike are
    offered when nothing else fits. Of the same rank the bigger city is first. No text: the biggest cities.
    """
    name, region = _read(text)
    if not name:
        return list(City.objects.order_by("-population", "name", "pk")[:limit])
    cities = list(City.objects.matching(name, region=region)[:limit])
    sure = [city for city in cities if city.match < 3]
    return sure or cities


def exactly_one(cities: list[City]) -> City | None:
    """The one of `find_cities()` that the text names exactly, or None: none does, or several bear the name."""
    exact = [city for city in cities if getattr(city, "match", None) == 0]
    return exact[0] if len(exact) == 1 else None


def city_named(text: str) -> City | None:
    """The one city that the text names exactly, or None. One query.

    «казань», «Кировск (Мурманская область)» and «спб» are exact; a typo or a beginning never is.
    """
    return exactly_one(find_cities(text, limit=2)) if text.strip() else None
