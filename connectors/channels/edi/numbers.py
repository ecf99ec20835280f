"""Control numbers that rise without gaps, and files that are written once.

A number, and the interchange that is written under it, go into the journal first, and then out. Whoever dies in
between leaves an interchange that the next one puts out: so no number is left out, and none has two contents. A lock of
the operating system keeps processes apart; it ends with the process.
"""

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connectors.channels.edi.interchange import Render
from connectors.channels.edi.locking import locked
from connectors.channels.files.folder import Folder, write_whole

LAST_NUMBER: Final = 999_999_999
"""The highest control number; 1 comes behind it."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """An interchange that was put out: its control number and its file."""

    number: int
    name: str


class NumberedFiles:
    """Puts out interchanges for one partner, each under a key of its own, once."""

    def __init__(self, state: Path, out: Folder, subfolder: str, extension: str) -> None:
        self._state = state
        self._out = out
        self._subfolder = subfolder
        self._extension = extension

    async def send(self, key: str, kind: str, render: Render, now: datetime) -> SentFile:
        """Put out an interchange. One of the same key that was put out before is left as it is."""
        await asyncio.to_thread((self._state / "sent").mkdir, parents=True, exist_ok=True)
        async with locked(self._state / "numbers.lock"):
            journal = await self._settled()
            known = await asyncio.to_thread(_read, self._sent(key))
            if known is not None:
                return SentFile(known["number"], known["name"])
            number = journal.get("number", 0) % LAST_NUMBER + 1
            name = f"{number:09d}-{kind}-{_digest(key)[:12]}.{self._extension}"
            body = base64.b64encode(render(number, now)).decode()
            entry = {"number": number, "key": key, "name": name, "body": body}
            await asyncio.to_thread(write_whole, self._state / "journal.json", json.dumps(entry).encode())
            await self._settled()
            return SentFile(number, name)

    async def _settled(self) -> dict[str, Any]:
        """The last entry of the journal, once its interchange is out."""
        entry = await asyncio.to_thread(_read, self._state / "journal.json")
        if entry is None:
            return {}
        sent = self._sent(entry["key"])
        if await asyncio.to_thread(_read, sent) is None:
            await self._out.prepare(self._subfolder)
            await self._out.write(f"{self._subfolder}/{entry['name']}", base64.b64decode(entry["body"]))
            kept = {"key": entry["key"], "number": entry["number"], "name": entry["name"]}
            await asyncio.to_thread(write_whole, sent, json.dumps(kept).encode())
        return entry

    def _sent(self, key: str) -> Path:
        return self._state / "sent" / f"{_digest(key)}.json"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found if isinstance(found, dict) else None
