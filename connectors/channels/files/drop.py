"""Which file of a folder is read next, and where it goes when it was read.

A file that is there as a whole is first moved to `reading/`: whoever puts another one in its place does not change what
is read. When all of it was kept, its content goes into the ledger and it goes to `done/`. Nothing is ever deleted.
"""

import fnmatch
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from connectors.channels.files.folder import Folder, FolderEntry
from connectors.channels.files.settings import DropSettings

READING: Final = "reading"
DONE: Final = "done"
UNREAD: Final = "unread"
LEDGER: Final = "ledger"
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp")
"""Behind the names of files that are still being written."""
_MOST_WATCHED: Final = 50
_CHUNK: Final = 1 << 20
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file that nobody else changes any more, in `reading/`. `sha256` is of its content."""

    name: str
    size: int
    modified: float
    sha256: str

    @property
    def path(self) -> str:
        """Where it is while it is read."""
        return f"{READING}/{self.name}"


class DropFolder:
    """A folder into which files are dropped. `read_as` tells apart ways of reading them: a file that was read in
    another way is none that is known.
    """

    def __init__(self, folder: Folder, settings: DropSettings, read_as: str) -> None:
        self._folder = folder
        self._settings = settings
        self._read_as = read_as
        self._is_prepared = False

    async def next(self, watched: Mapping[str, Any]) -> tuple[ClaimedFile | None, dict[str, Any]]:
        """The next file to read, the oldest first, and what is known of others that may not be whole yet.

        A file that was begun comes before all others.
        """
        if not self._is_prepared:
            await self._folder.prepare(READING, DONE, UNREAD, LEDGER)
            self._is_prepared = True
        begun = sorted(await self._folder.entries(READING), key=_age)
        if begun:
            await self._take_marker(begun[0].name)
            return await self._taken(begun[0]), dict(watched)
        entries = {each.name: each for each in await self._folder.entries() if _can_be_named(each.name)}
        waiting: dict[str, Any] = {}
        for each in sorted(entries.values(), key=_age):
            if not self._is_meant(each.name):
                continue
            since = _unchanged_since(each, watched)
            if self._is_whole(each, entries, since) and await self._claim(each.name):
                return await self._taken(each), {name: seen for name, seen in watched.items() if name != each.name}
            if len(waiting) < _MOST_WATCHED:
                waiting[each.name] = [each.size, each.modified, since]
        return None, waiting

    def _is_meant(self, name: str) -> bool:
        marker = self._settings.marker
        if name.startswith(".") or name.lower().endswith(_UNFINISHED) or (marker and name.endswith(marker)):
            return False
        return fnmatch.fnmatchcase(name, self._settings.pattern)

    def _is_whole(self, entry: FolderEntry, entries: Mapping[str, FolderEntry], since: float) -> bool:
        """By its marker; else by the clock: its own time counts on this machine, whose clock is ours."""
        if self._settings.marker:
            return entry.name + self._settings.marker in entries
        now, settle = time.time(), self._settings.settle_seconds
        return now - since >= settle or (not self._settings.is_remote and now - entry.modified >= settle)

    async def _claim(self, name: str) -> bool:
        """Whether it is ours now: somebody else may have been faster, or its sender have taken it back."""
        if await self._folder.look(f"{READING}/{name}") is not None:
            return False
        try:
            await self._folder.move(name, f"{READING}/{name}")
        except FileNotFoundError:
            return False
        await self._take_marker(name)
        return True

    async def _taken(self, entry: FolderEntry) -> ClaimedFile:
        return ClaimedFile(entry.name, entry.size, entry.modified, await self.digest(f"{READING}/{entry.name}"))

    async def digest(self, path: str) -> str:
        """SHA-256 of a file."""
        found, offset = hashlib.sha256(), 0
        while part := await self._folder.read(path, offset, _CHUNK):
            found.update(part)
            offset += len(part)
        return found.hexdigest()

    async def whole(self, taken: ClaimedFile) -> bytes:
        """All of a file, in parts: each may take as long as a server lets one wait."""
        offsets = range(0, taken.size, _CHUNK)
        lengths = [(offset, min(_CHUNK, taken.size - offset)) for offset in offsets]
        return b"".join([await self._folder.read(taken.path, offset, length) for offset, length in lengths])

    async def again(self, name: str, known: ClaimedFile) -> ClaimedFile | None:
        """The file as it is now; None if it is not there. It is only read where it looks changed."""
        entry = await self._folder.look(f"{READING}/{name}")
        if entry is None:
            return None
        is_same = (entry.size, entry.modified) == (known.size, known.modified)
        return known if is_same else await self._taken(entry)

    async def known_as(self, sha256: str) -> str | None:
        """The name under which the same content was read before, in the same way; None if it was not."""
        entry = await self._entry(sha256)
        return str(entry["file"]) if entry and entry.get("read_as") == self._read_as else None

    async def _entry(self, sha256: str) -> dict[str, Any] | None:
        try:
            found = json.loads(await self._folder.read(f"{LEDGER}/{sha256}.json", 0, _CHUNK))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    async def finish(self, taken: ClaimedFile, counts: Mapping[str, Any]) -> None:
        """Write down that a file was read, and put it away."""
        entry = {"file": taken.name, "read_as": self._read_as, "size": taken.size, **counts}
        await self._folder.write(f"{LEDGER}/{taken.sha256}.json", json.dumps(entry).encode())
        await self._put_away(taken, DONE)

    async def finish_repeat(self, taken: ClaimedFile, known_as: str) -> None:
        """Put away a file whose content was read before; it is not read again."""
        _LOG.warning("file %s is not read: its content was read as %s", taken.name, known_as)
        await self._put_away(taken, DONE)

    async def set_aside(self, taken: ClaimedFile, why: str) -> None:
        """Put a file of which nothing can be read into `unread/`."""
        _LOG.warning("file %s cannot be read: %s", taken.name, why)
        await self._put_away(taken, UNREAD)

    async def _put_away(self, taken: ClaimedFile, where: str) -> None:
        """A file that is not there any more was put away before."""
        try:
            await self._move_to(taken.path, where, taken.name, taken.sha256)
        except FileNotFoundError:
            return

    async def _take_marker(self, name: str) -> None:
        """Put away the marker of a file that was taken, so that it does not count for the next one of the name."""
        marker = name + self._settings.marker
        if not self._settings.marker or await self._folder.look(name) is not None:
            return
        try:
            await self._move_to(marker, DONE, marker, hashlib.sha256(str(time.time()).encode()).hexdigest())
        except FileNotFoundError:
            return

    async def _move_to(self, path: str, where: str, name: str, token: str) -> None:
        """Under a name that no file there has: `orders.csv`, then `orders~1f3a9c20.csv`."""
        plain, number, found = PurePosixPath(name), 1, name
        while await self._folder.look(f"{where}/{found}") is not None:
            found = f"{plain.stem}~{token[:8]}{'' if number == 1 else f'~{number}'}{plain.suffix}"
            number += 1
        await self._folder.move(path, f"{where}/{found}")


def _age(entry: FolderEntry) -> tuple[float, str]:
    return entry.modified, entry.name


def _can_be_named(name: str) -> bool:
    """A server may name anything: a name with a path in it would lead out of the folder."""
    return "/" not in name and "\0" not in name and name not in {".", ".."}


def _unchanged_since(entry: FolderEntry, watched: Mapping[str, Any]) -> float:
    seen = watched.get(entry.name)
    if isinstance(seen, list) and seen[:2] == [entry.size, entry.modified]:
        return float(seen[2])
    return time.time()
