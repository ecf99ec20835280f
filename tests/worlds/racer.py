"""A process of its own that changes orders in the store: `python -m tests.worlds.racer`.

It reads a request a line, an order's command or a re-optimisation, with the database it is about, and answers a line:
what came of it. Its start takes seconds on a busy machine, so that the tests of a module share it.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import Command
from dom.shared.errors import DomError
from services.change_orders import Writing, change_order
from services.reoptimisation import Outdated
from store.database import engine as database
from store.stock import OutOfReach
from tests.worlds import reoptimising


async def _answer(engine: AsyncEngine, asked: dict[str, Any]) -> str:
    try:
        if "command" not in asked:
            joints, known = await reoptimising.found(engine)
            for joint in joints:
                await reoptimising.change(engine, joint, known)
            return "written" if joints else "nothing"
        command: Command = TypeAdapter(Command).validate_python(asked["command"])
        async with engine.begin() as connection:
            changed = await change_order(connection, asked["order_id"], command, Writing(webhook=False, notify=True))
    except (Outdated, OutOfReach) as error:
        return type(error).__name__
    except DomError as error:
        return error.type
    return "repeated" if changed.repeated else "written"


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Answer until the input ends."""
    _say("ready")
    url, engine = "", database.create("postgresql+psycopg://nowhere", 2)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if asked["database"] != url:
            await engine.dispose()
            url, engine = asked["database"], database.create(asked["database"], 2)
        _say(await _answer(engine, asked))
    await engine.dispose()


@dataclass
class Racers:
    """Processes that wait for what they are to do in a database."""

    running: Sequence[asyncio.subprocess.Process]
    url: str

    def ask(self, *requests: dict[str, Any]) -> None:
        """Tell each process what to do, all at once."""
        for process, request in zip(self.running, requests, strict=False):
            assert process.stdin is not None
            process.stdin.write((json.dumps({**request, "database": self.url}) + "\n").encode())

    async def answers(self, count: int) -> list[str]:
        """What came of it, in the sequence in which it was asked."""
        return [await _line(process) for process in self.running[:count]]


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode().strip()


@asynccontextmanager
async def racing(count: int) -> AsyncIterator[Sequence[asyncio.subprocess.Process]]:
    """So many processes, ready for the start."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.worlds.racer")
    running = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(count)]
    try:
        assert [await _line(process) for process in running] == ["ready"] * count
        yield running
    finally:
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(main())
