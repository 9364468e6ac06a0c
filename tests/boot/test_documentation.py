"""docs/settings.md is the whole truth about the environment."""

from __future__ import annotations

import re

from tests.servers import ROOT


def test_every_variable_is_documented_and_none_is_invented() -> None:
    read = set(re.findall(r"""\benv(?:\.\w+)?\(\s*"([A-Z_]+)\"""", (ROOT / "hotline" / "settings.py").read_text()))
    table = [line for line in (ROOT / "docs" / "settings.md").read_text().splitlines() if line.startswith("| `")]
    documented = [re.match(r"\| `([A-Z_]+)`", line).group(1) for line in table]  # type: ignore[union-attr]
    assert len(documented) == len(set(documented))
    assert set(documented) == read
    assert len(read) > 20


def test_only_the_settings_read_the_environment_of_the_product() -> None:
    """`hotline/boot` makes the environment; the product itself reads it in one file."""
    rooms = ["hotline/base", "hotline/operators", "hotline/desk", "calls", "tickets", "service_centers", "sms"]
    readers = [
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text())
    ]
    assert readers == []


def test_make_help_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert sorted(phony.group(1).split()) == sorted(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
