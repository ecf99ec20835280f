"""From bytes of a file to its lines, each with the place where it begins."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_LINE: Final = 1 << 18
"""Bytes. A longer line is cut into pieces of this length, none of which counts as a row."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line, with its end: `offset` is where its first byte stands. A `piece` is part of one that is too long."""

    raw: bytes
    offset: int
    piece: bool = False
    cut: bool = False

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.raw)


def split(block: bytes, offset: int, encoding: str, *, at_end: bool, cut: bool) -> Iterator[Line]:
    """The lines of a block that begins at an offset of its file. The last one is left out unless it has an end, or the
    file has: the rest of it comes with the next block. `cut`: the block begins within a line that is too long.

    A line's `cut` says whether the next one begins within it.
    """
    wide = encoding in {"utf-16-le", "utf-16-be"}
    end = "\n".encode(encoding) if wide else b"\n"
    start, size = 0, len(block)
    while start < size:
        found = _end(block, end, start, offset, wide=wide)
        stop = size if found < 0 else found
        if stop - start > LONGEST_LINE:
            yield Line(block[start : start + LONGEST_LINE], offset + start, piece=True, cut=True)
            start, cut = start + LONGEST_LINE, True
            continue
        if found < 0 and not at_end:
            return
        yield Line(block[start:stop], offset + start, piece=cut)
        start, cut = stop, False


def _end(block: bytes, end: bytes, start: int, offset: int, *, wide: bool) -> int:
    """Behind the next end of a line; -1 if there is none. In UTF-16 a character begins at an even place of its file."""
    found = block.find(end, start)
    while wide and found >= 0 and (offset + found) % 2:
        found = block.find(end, found + 1)
    return found if found < 0 else found + len(end)


def mark(head: bytes) -> tuple[str, int]:
    """The encoding that a byte order mark names, and its length; nothing where there is none."""
    return next(((name, len(bom)) for bom, name in _MARKS if head.startswith(bom)), ("", 0))


def text(raw: bytes, encoding: str) -> str | None:
    """A line without its end; None if it is no text in this encoding.

    `detect` takes it as UTF-8 and, where it is none, as Windows-1252.
    """
    for name in ("utf-8", "windows-1252") if encoding == "detect" else (encoding,):
        try:
            return raw.decode(name).rstrip("\r\n")
        except UnicodeDecodeError:
            continue
    return None
