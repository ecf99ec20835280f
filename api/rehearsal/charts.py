"""Bar charts as SVG: two bars a row, the baseline above the draft, each with its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 720
_CHARACTER: Final = 7.2
"""Room of a character; the widest digits of the fonts named in the page take a little less."""
_BAR: Final = 13
_GAP: Final = 12
_LABEL_AT_MOST: Final = 32
"""Characters of a label that find room."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A row: what it is about, and what it is on both sides, as numbers and as they are written."""

    label: str
    baseline: float
    draft: float
    baseline_text: str
    draft_text: str


def pairs(rows: Sequence[Pair], title: str) -> Markup:
    """The rows as a chart; what is below zero goes to the left of the line."""
    if not rows:
        return Markup('<p class="quiet">Nothing to show.</p>')
    numbers = [number for row in rows for number in (row.baseline, row.draft)]
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    labels = 16 + _CHARACTER * min(_LABEL_AT_MOST, max([len(row.label) for row in rows]))
    texts = 12 + _CHARACTER * max([len(text) for row in rows for text in (row.baseline_text, row.draft_text)])
    scale = (WIDTH - labels - texts) / ((high - low) or 1)
    zero = labels - low * scale
    height = len(rows) * (2 * _BAR + _GAP) + _GAP
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f'<line x1="{zero:.1f}" y1="0" x2="{zero:.1f}" y2="{height}" class="axis"/>',
    ]
    for number, row in enumerate(rows):
        top = _GAP + number * (2 * _BAR + _GAP)
        label = row.label if len(row.label) <= _LABEL_AT_MOST else row.label[: _LABEL_AT_MOST - 1] + "…"
        parts.append(
            f'<text x="{labels - 8:.1f}" y="{top + _BAR + 4}" class="label">'
            f"<title>{escape(row.label)}</title>{escape(label)}</text>"
        )
        parts.append(_bar("baseline", zero, top, row.baseline * scale, row.baseline_text))
        parts.append(_bar("draft", zero, top + _BAR, row.draft * scale, row.draft_text))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  every text in it is escaped above


def _bar(kind: str, zero: float, top: float, length: float, said: str) -> str:
    left, width = (zero, length) if length >= 0 else (zero + length, -length)
    end = zero + max(length, 0)
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{max(width, 0.5):.1f}" height="{_BAR - 1}" class="{kind}"/>'
        f'<text x="{end + 6:.1f}" y="{top + _BAR - 3}" class="number">{escape(said)}</text>'
    )
