"""What a call is probably about: a topic of the directory, by the client's own words. A suggestion only."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hotline.base.folding import fold
from tickets.models import Topic

# Where the words say nothing: the topic that a kind of registration usually has, by its code in the directory.
USUAL = {"repair": "other-fault", "installation": "installation", "contacts": "center-address"}
_WORD = re.compile(r"[а-яa-z]{4,}")
# Letters of a word's beginning that tell it: «шумит» and «шумел», «морозит» and «морозилка».
STEM = 5


def suggest(kind: str, text: str, topics: Iterable[Topic]) -> Topic | None:
    """The topic whose name shares most words with what was said, else the usual one of the kind, else None.

    Pure; the order of `topics` decides between equals.
    """
    offered = [topic for topic in topics if topic.is_atypical == (kind == "other")]
    said = _stems(text)
    scores = {topic.pk: len(_stems(topic.name) & said) for topic in offered}
    best = max(offered, key=lambda topic: scores[topic.pk], default=None)
    if kind != "installation" and best is not None and scores[best.pk]:
        return best
    return next((topic for topic in offered if topic.code == USUAL.get(kind)), None)


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in _WORD.findall(fold(text))}
