"""What `make bench` prints: one table, the plans of the searches, a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tests.bench.cases import Figures
from tests.bench.rings import LIMIT, Rings

Plans = Mapping[str, tuple[list[str], list[str]]]


def text(clients: int, figures: Sequence[Figures], rings: Rings, plans: Plans, *, machine: str) -> str:
    width = max(len(rings.crowd.name), *(len(each.name) for each in figures))
    lines = [
        "",
        f"{clients:,} clients; {machine}",
        "",
        f"{'':{width}}  ratio  Hotline, ms  bare, ms  SQL statements (bare: 1)",
    ]
    for each in figures:
        lines.append(
            f"{each.name:{width}} {f'×{each.ratio:.1f}':>6} {each.hotline:>12.1f} {each.bare:>9.1f}  {each.queries}"
        )
    lines.append(f"{rings.shown.name:{width}} {f'×{rings.ratio:.1f}':>6} {rings.shown.median:>12.1f} "
                 f"{rings.bare.median:>9.1f}")  # fmt: skip
    lines += [
        "",
        f"{f'with {rings.streams} streams open, ms':{width}}  median    p95  longest",
    ]
    for delays in (rings.shown, rings.cleared, rings.crowd, rings.bare):
        lines.append(f"{delays.name:{width}} {_ms(delays.median):>7} {_ms(delays.p95):>6} {_ms(delays.longest):>8}")
    lines += ["", "indexes that the searches ran on:"]
    for said, (indexes, scans) in plans.items():
        lines.append(f"  «{said}»: {', '.join(indexes) or 'none'}")
        if scans:
            lines.append(f"    READS WHOLE: {', '.join(scans)}")
    for delays in rings.too_slow:
        lines += ["", f"TOO SLOW: {delays.name}: {_ms(delays.longest)} ms; {LIMIT:.0f} is the limit"]
    if rings.refused:
        lines += ["", "REFUSED: pages that asked at once were answered with an error"]
    return "\n".join(lines)


def _ms(delay: float) -> str:
    """«never» where the page was answered with an error."""
    return "never" if delay == math.inf else f"{delay:.0f}"


def exit_code(rings: Rings, plans: Plans) -> int:
    return int(bool(rings.too_slow) or rings.refused or any(scans for _indexes, scans in plans.values()))
