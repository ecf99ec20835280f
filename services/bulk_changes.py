"""The orders of a bulk run are changed, each in one transaction together with what became of it.

An order is claimed by its row in the run, so that it is changed once, whoever does it and however often.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from dom.orders.bulk import BulkOutcome, BulkProgress, BulkStatus, SourceOrdersAgain
from dom.shared.access import UNLIMITED
from dom.shared.errors import DomError
from services import bulk_actions, sourcing
from services.database import Database
from store import stock
from store.database.engine import is_overtaken, is_unavailable
from store.orders import bulk_runs
from store.orders.bulk_runs import BulkItemResult, BulkRun

SIDE_BY_SIDE: Final = 4
"""Orders that are changed at the same time: each keeps a connection busy."""
ALONE: Final = frozenset({SourceOrdersAgain})
"""Actions that change one order at a time: it takes stock of one node and gives back that of another, and two that do
so would wait for each other.
"""
AT_A_TIME: Final = 40
"""Orders that are fetched at once: between two fetches it is seen that a run was stopped."""
_OVERTAKEN_AT_MOST: Final = 5

_log = structlog.get_logger("bulk")


async def change_next(database: Database, bulk_id: str, stop: asyncio.Event) -> None:
    """Change the next orders of a run, some at the same time; none if it is stopped, or done. Ends early after `stop`.

    Raises what the database raises while it is away; what was done by then is written down.
    """
    async with database.transaction() as connection:
        run = await bulk_runs.get(connection, bulk_id, UNLIMITED)
        waiting = list(await bulk_runs.begin(connection, bulk_id, AT_A_TIME))
    at_once = 1 if type(run.action) in ALONE else SIDE_BY_SIDE
    while waiting and not stop.is_set():
        now, waiting = waiting[:at_once], waiting[at_once:]
        ended = await asyncio.gather(*(_change(database, run, each) for each in now), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error


async def progress(database: Database, bulk_id: str) -> BulkProgress:
    """How far a run is. Raises NotFound."""
    async with database.statement() as connection:
        run = await bulk_runs.get(connection, bulk_id, UNLIMITED)
    return BulkProgress(status=run.status, orders=run.orders, outcomes=run.outcomes)


async def stop_for(database: Database, bulk_id: str, by: str) -> BulkProgress:
    """Stop a run because its workflow was cancelled, unless it is done."""
    async with database.transaction() as connection:
        run = await bulk_runs.get(connection, bulk_id, UNLIMITED, lock=True)
        if not run.ended:
            await bulk_runs.set_status(connection, bulk_id, BulkStatus.STOPPED, by)
    return await progress(database, bulk_id)


async def _change(database: Database, run: BulkRun, order_id: str) -> None:
    try:
        await _patiently(lambda: sourcing.in_reach(lambda: _claimed(database, run, order_id)))
    except DomError as error:
        result = BulkItemResult(BulkOutcome.REFUSED, error.detail, error.data, error.type)
    except stock.OutOfReach:
        result = BulkItemResult(BulkOutcome.FAILED, "others took the stock that it was planned with, again and again")
    except Exception as error:
        if is_unavailable(error):
            raise
        _log.exception("an order of a bulk run failed", bulk=run.id, order=order_id)
        result = BulkItemResult(BulkOutcome.FAILED, f"{type(error).__name__}; the log says more")
    else:
        return
    async with database.transaction() as connection:
        if await bulk_runs.claim(connection, run.id, order_id):
            await bulk_runs.settle(connection, run.id, order_id, result)


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do it again where it met another transaction and was given up."""
    for attempt in range(_OVERTAKEN_AT_MOST):
        try:
            await work()
        except Exception as error:
            if attempt == _OVERTAKEN_AT_MOST - 1 or not is_overtaken(error):
                raise
        else:
            return
        await asyncio.sleep(random.uniform(0, 0.05) * 2**attempt)  # noqa: S311  not a secret


async def _claimed(database: Database, run: BulkRun, order_id: str) -> None:
    async with database.transaction() as connection:
        if await bulk_runs.claim(connection, run.id, order_id):
            result = await bulk_actions.carry_out(database, connection, run, order_id)
            await bulk_runs.settle(connection, run.id, order_id, result)
