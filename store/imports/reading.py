"""A stream of bytes as lines, batch by batch, whatever it is cut into and however long a line is."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

LONGEST: Final = 10_000
"""Bytes a line may have; the rest of a longer one is passed over, never kept."""


async def batches(stream: AsyncIterable[bytes], size: int) -> AsyncIterator[list[bytes | None]]:
    """At least `size` lines at a time, without their ends; None for a line that is too long."""
    lines: list[bytes | None] = []
    rest, overlong = b"", False
    async for part in stream:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            lines.append(None if overlong or len(line) > LONGEST else line.removesuffix(b"\r"))
            overlong = False
        if len(rest) > LONGEST:
            rest, overlong = b"", True
        if len(lines) >= size:
            yield lines
            lines = []
    if rest or overlong:
        lines.append(None if overlong else rest.removesuffix(b"\r"))
    if lines:
        yield lines
