"""Is the Russian catalogue complete?

`makemessages` would change nothing, nothing is untranslated or fuzzy, the .mo says what the .po says.
The messages are collected in a copy of the sources: a check writes nothing into the checkout.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

from hotline.boot.places import ROOT

CATALOGUE = Path("hotline/locale/ru/LC_MESSAGES/django.po")
# The rooms whose words people read; what the tests and the bootstrap say is English.
ROOMS = ["hotline", "calls", "tickets", "service_centers", "sms", "templates"]
# Every run of makemessages, ours and a person's, is this one (`make messages`).
MAKEMESSAGES = [
    "makemessages",
    "-l",
    "ru",
    "--no-wrap",
    "--no-location",
    "-i",
    ".venv",
    "-i",
    ".local",
    "-i",
    "tests",
    "-v0",
]

Key = tuple[str | None, str, str | None]


def problems() -> list[str]:
    """Sentences that say what is wrong, none where the catalogue is complete."""
    if not shutil.which("xgettext"):
        return [
            "xgettext is missing: install gettext (Debian, Ubuntu: apt-get install gettext), then run make check again"
        ]
    committed = polib.pofile(str(ROOT / CATALOGUE))
    collected = _collect()
    found = [f"not in the catalogue: {key[1]!r}" for key in collected - _keys(committed)]
    found += [f"no longer used: {key[1]!r}" for key in _keys(committed) - collected]
    found += [f"untranslated: {entry.msgid!r}" for entry in committed.untranslated_entries()]
    found += [f"fuzzy: {entry.msgid!r}" for entry in committed.fuzzy_entries()]
    found += [f"obsolete: {entry.msgid!r}" for entry in committed.obsolete_entries()]
    found += [f"a plural without its four forms: {entry.msgid!r}" for entry in committed if _lacks_forms(entry)]
    if _translations(committed) != _translations(polib.mofile(str((ROOT / CATALOGUE).with_suffix(".mo")))):
        found.append("django.mo is not what django.po says")
    return found


def _collect() -> set[Key]:
    """The messages that the sources have now."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for room in ROOMS:
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "static"))
        shutil.copy(ROOT / "manage.py", copy)
        done = subprocess.run([sys.executable, "manage.py", *MAKEMESSAGES], cwd=copy, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"makemessages failed:\n{done.stderr}")
        return _keys(polib.pofile(str(copy / CATALOGUE)))


def _keys(catalogue: polib.POFile) -> set[Key]:
    return {(entry.msgctxt, entry.msgid, entry.msgid_plural or None) for entry in catalogue if not entry.obsolete}


def _lacks_forms(entry: polib.POEntry) -> bool:
    """Russian has one, few, many and other (a fraction)."""
    return bool(entry.msgid_plural) and (len(entry.msgstr_plural) != 4 or not all(entry.msgstr_plural.values()))


def _translations(catalogue: polib.POFile | polib.MOFile) -> dict[Key, object]:
    return {
        (entry.msgctxt, entry.msgid, entry.msgid_plural or None): entry.msgstr_plural or entry.msgstr
        for entry in catalogue
        if not entry.obsolete and entry.msgid and (entry.msgstr or any(entry.msgstr_plural.values()))
    }


def collect() -> None:
    """`make messages`: bring the catalogue up to date in place, and compile it."""
    subprocess.run([sys.executable, "manage.py", *MAKEMESSAGES], cwd=ROOT, check=True)
    catalogue = polib.pofile(str(ROOT / CATALOGUE), wrapwidth=0)
    for entry in catalogue.obsolete_entries():
        catalogue.remove(entry)
    catalogue.save()
    catalogue.save_as_mofile(str((ROOT / CATALOGUE).with_suffix(".mo")))


if __name__ == "__main__":
    if sys.argv[1:] == ["collect"]:
        collect()
        sys.exit()
    found = sorted(problems())
    for problem in found[:40]:
        print(problem)
    if len(found) > 40:
        print(f"… and {len(found) - 40} more")
    sys.exit(1 if found else 0)
