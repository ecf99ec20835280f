"""What is asked of a folder, and a folder of this machine.

Paths are relative to the folder, with `/` between: `orders.csv`, `done/orders.csv`.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A regular file: its size in bytes, and when it was changed, in seconds since 1970."""

    name: str
    size: int
    modified: float


class Folder(Protocol):
    """A place of files. Everything raises OSError, or TemporaryFailureError where a server cannot be reached."""

    async def prepare(self, *subfolders: str) -> None:
        """Make the subfolders that are not there; the folder itself must be."""

    async def entries(self, subfolder: str = "") -> Sequence[FolderEntry]:
        """The regular files of the folder itself, or of a subfolder; links are none."""

    async def look(self, path: str) -> FolderEntry | None:
        """One file; None if there is none."""

    async def read(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of a file; fewer at its end. Raises FileNotFoundError."""

    async def write(self, path: str, body: bytes) -> None:
        """Put a whole file there: nobody sees half of it, and it outlives a crash. One of the name is replaced."""

    async def move(self, path: str, to: str) -> None:
        """Give a file another path. Raises FileNotFoundError."""

    async def close(self) -> None:
        """Let go of connections."""


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def prepare(self, *subfolders: str) -> None:
        """As the port says."""
        await asyncio.to_thread(self._prepare, subfolders)

    def _prepare(self, subfolders: Sequence[str]) -> None:
        if not self._root.is_dir():
            # A disk that is not mounted: what is made in its place would be read as an empty folder.
            raise NotADirectoryError(f"there is no folder {self._root}")
        for each in subfolders:
            (self._root / each).mkdir(exist_ok=True)

    async def entries(self, subfolder: str = "") -> Sequence[FolderEntry]:
        """As the port says."""
        return await asyncio.to_thread(_listed, self._root / subfolder)

    async def look(self, path: str) -> FolderEntry | None:
        """As the port says."""
        return await asyncio.to_thread(_seen, self._root / path)

    async def read(self, path: str, offset: int, length: int) -> bytes:
        """As the port says."""
        return await asyncio.to_thread(_part, self._root / path, offset, length)

    async def write(self, path: str, body: bytes) -> None:
        """As the port says."""
        await asyncio.to_thread(write_whole, self._root / path, body)

    async def move(self, path: str, to: str) -> None:
        """As the port says."""
        await asyncio.to_thread(os.replace, self._root / path, self._root / to)

    async def close(self) -> None:
        """There is nothing to let go of."""


def _listed(folder: Path) -> list[FolderEntry]:
    with os.scandir(folder) as found:
        seen = [(each.name, each.stat(follow_symlinks=False)) for each in found if each.is_file(follow_symlinks=False)]
    return [FolderEntry(name, each.st_size, each.st_mtime) for name, each in seen]


def _seen(path: Path) -> FolderEntry | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return FolderEntry(path.name, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def _part(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def write_whole(path: Path, body: bytes) -> None:
    """A file that is there as a whole or not at all, also after a crash."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with fresh.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
