"""Where in a text everything stands that it says."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from dom.documents.findings import Mistake, Path

_BLOCKS: Final = {"|", ">"}


class TextPlace(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class Unreadable(Exception):
    """The text is no YAML or JSON that can be read; the mistake says why, the place where."""

    def __init__(self, mistake: Mistake, place: TextPlace) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake
        self.place = place


@dataclass(slots=True)
class PlacedText:
    """What a text says, where it says it, and what is wrong with how it says it.

    `values` holds where each scalar or flow collection begins, `keys` where the key before it does.
    """

    text: str
    data: Any = None
    keys: dict[Path, TextPlace] = field(default_factory=dict)
    values: dict[Path, TextPlace] = field(default_factory=dict)
    styles: dict[Path, str] = field(default_factory=dict)
    mistakes: list[tuple[Mistake, TextPlace]] = field(default_factory=list)

    def at(self, path: Path, offset: int | None = None) -> TextPlace:
        """Where a path stands in the text; for what is not there, what should hold it."""
        while path and path not in self.values and path not in self.keys:
            path, offset = path[:-1], None
        if path in self.values:
            place = self.values[path]
            return place if offset is None else self._within(path, place, offset)
        return self.keys.get(path, TextPlace(1, 1))

    def key(self, path: Path) -> TextPlace:
        """Where the key of a path stands."""
        return self.keys.get(path) or self.at(path)

    def _within(self, path: Path, place: TextPlace, offset: int) -> TextPlace:
        """A character of a scalar: its value without the folding of lines is walked through line by line."""
        style = self.styles.get(path, "")
        lines = self.text.splitlines()
        if style in _BLOCKS:
            number, column = place.line + 1, 1
        else:
            number, column = place.line, place.column + (style in {"'", '"'})
        was_blank = True
        while number <= len(lines):
            line = lines[number - 1][column - 1 :]
            indent = len(line) - len(line.lstrip())
            length = len(line) - indent
            if offset <= length and length:
                return TextPlace(number, column + indent + offset)
            folded = style != "|" and not length and not was_blank
            offset -= 0 if folded else length + 1
            number, column, was_blank = number + 1, 1, not length
        return place
