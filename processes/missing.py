"""An order or a return that is open and has no process: put before a person, and said to the caller."""

from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import ExceptionKind
from dom.shared.errors import NoProcess
from store.orders import processes


async def open_without_process(reads: AsyncEngine, order_id: str, about: str, status: str, run_id: str) -> NoReturn:
    """An order or a return is open, and nobody works on it: a person is told. Raises NoProcess."""
    words = processes.in_words(ExceptionKind.NO_PROCESS, about, status)
    async with reads.connect() as connection:
        await processes.report(
            connection, order_id=order_id, about=about, run_id=run_id, kind=ExceptionKind.NO_PROCESS, detail=words
        )
    raise NoProcess(
        f"{about} is {status}, but no process works on it; a person was told, send the same again later",
        data={"status": status},
    )


async def lost_by_the_store(reads: AsyncEngine, about: str, run_id: str) -> NoReturn:
    """An order or a return ended in Temporal, and a restored store does not hold it: a person is told, and NoProcess
    raised.
    """
    words = processes.in_words(ExceptionKind.NOT_IN_STORE, about, "", "ended")
    async with reads.connect() as connection:
        await processes.report(
            connection, order_id=about, about=about, run_id=run_id, kind=ExceptionKind.NOT_IN_STORE, detail=words
        )
    raise NoProcess(f"{about} ended before the store was restored to an older state; a person was told")
