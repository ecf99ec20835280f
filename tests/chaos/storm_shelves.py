"""What really lies in the shelves of a storm, known to the unit by all its clients."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NODES = ("n1", "n2", "n3")
SKUS = tuple(f"SKU{number:02}" for number in range(20))
COUNTED = SKUS[:4]
"""These are counted; what is in their shelves is known to the unit at any moment, as in a warehouse."""
OPENING = 60


class Shelves:
    """What really lies in the shelves of the counted SKUs: one line a movement, under one lock, times all different."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._at: dict[str, datetime] = {}
        self._last = datetime(2000, 1, 1, tzinfo=UTC)
        self._now = {f"{node}/{sku}": 0 for node in NODES for sku in COUNTED}

    def move(self, key: str, units: dict[str, int]) -> datetime:
        """Goods come or go, once a key; answers when."""
        with self._locked() as file:
            if key not in self._at:
                at = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
                file.write(json.dumps({"key": key, "at": at.isoformat(), "units": units}) + "\n")
                file.flush()
                self._follow(file)
            return self._at[key]

    def count(self, place: str) -> tuple[int, datetime]:
        """How many there are now, and when that is: nothing moves at the same time."""
        with self._locked():
            at = max(datetime.now(UTC), self._last)
            while datetime.now(UTC) <= at:  # what moves next, moves later
                pass
            return self._now[place], at

    def now(self) -> dict[str, int]:
        """What lies where."""
        with self._locked():
            return dict(self._now)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._follow(file)
            yield file

    def _follow(self, file: Any) -> None:
        """Reads on where it stopped the last time."""
        file.seek(self._read)
        for line in file:
            one = json.loads(line)
            self._last = self._at[one["key"]] = datetime.fromisoformat(one["at"])
            for place, units in one["units"].items():
                self._now[place] += units
        self._read = file.seek(0, 2)
