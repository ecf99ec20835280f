"""What is kept beside the folder of a partner: interchanges that came, and the last state of each order.

Files of their own, each written as a whole: nothing grows, and what one process wrote another finds.
"""

import asyncio
import hashlib
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.channels.edi.locking import locked
from connectors.channels.files.folder import write_whole


@dataclass(frozen=True, slots=True)
class ReceivedInterchange:
    """An interchange that came: `owner` names the file and the place in it, `sha256` its content."""

    owner: str
    sha256: str


class PartnerState:
    """The state of one partner, in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def prepare(self) -> None:
        """Make its folders."""
        for name in ("received", "orders"):
            await asyncio.to_thread((self.folder / name).mkdir, parents=True, exist_ok=True)

    async def received(self, control: str) -> ReceivedInterchange | None:
        """The interchange of this control number that came; None if none did."""
        found = await asyncio.to_thread(_read, self._path("received", control))
        return None if found is None else ReceivedInterchange(found["owner"], found["sha256"])

    async def note_received(self, control: str, came: ReceivedInterchange) -> None:
        """Write down that it came."""
        await self._put("received", control, {"control": control, "owner": came.owner, "sha256": came.sha256})

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Nobody else changes orders meanwhile: what one read is what it writes over."""
        return locked(self.folder / "orders.lock")

    async def order(self, number: str) -> dict[str, Any] | None:
        """The last state of an order, and what the partner was told of it."""
        return await asyncio.to_thread(_read, self._path("orders", number))

    async def put_order(self, number: str, kept: dict[str, Any]) -> None:
        """Keep the state of an order in place of the last one."""
        await self._put("orders", number, kept)

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}.json"

    async def _put(self, kind: str, name: str, value: dict[str, Any]) -> None:
        await asyncio.to_thread(write_whole, self._path(kind, name), json.dumps(value).encode())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found if isinstance(found, dict) else None
