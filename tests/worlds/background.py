"""Imports, rehearsals and bulk runs as they come in, and what became of them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from dom.orders.bulk import BulkSelection, CancelOrders
from processes.background_work import BackgroundWork
from processes.client import Durable
from services import bulk_runs
from services.bulk_runs import BulkCall
from services.clock import utc_now
from services.database import Database
from store import imports
from store.database.engine import reading
from store.enums import ImportKind
from store.imports import Format, Header, Import
from store.rehearsal import rehearsals
from store.rehearsal.rehearsals import Rehearsal
from tests.worlds import small
from tests.worlds.access import caller
from tests.worlds.books import one, rows
from tests.worlds.captured import accept
from tests.worlds.rehearsing import TOGETHER
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.waiting import until

CHANGES = "node_id,sku,quantity\n"


def header(kind: ImportKind = ImportKind.DELTAS, **more: Any) -> Header:
    """An import of its own: its id is a workflow's, and all tests share the Temporal server."""
    fields: dict[str, Any] = {"format": Format.CSV, "all_or_nothing": False, "source": "wms", "sequence": 1}
    fields |= {"as_of": MONDAY_NOON, "actor": "test", "key": uuid4().hex}
    return Header(kind=kind, **(fields | more))


async def _stream(content: str) -> AsyncIterator[bytes]:
    yield content.encode()


async def received(engine: AsyncEngine, rows: int, line: str = "dc-leeds,A,1", **more: Any) -> Import:
    """A file of so many equal changes, staged and not begun."""
    found, _ = await imports.receive(engine, header(**more), _stream(CHANGES + f"{line}\n" * rows))
    return found


async def until_import(engine: AsyncEngine, import_id: str, *statuses: str) -> Import:
    """The import, once it has one of the statuses."""

    async def reached() -> bool:
        return (await imports.get(engine, import_id)).status in statuses

    await until(f"{import_id} is {' or '.join(statuses)}", reached)
    return await imports.get(engine, import_id)


async def asked(engine: AsyncEngine, orders: str = "all") -> str:
    """A rehearsal of the policy that never splits, not begun."""
    async with engine.begin() as connection:
        found = await rehearsals.ask(connection, policy=TOGETHER, policy_name="together", orders=orders, asked_by="kim")
    return found.id


async def until_rehearsal(engine: AsyncEngine, rehearsal_id: str, *statuses: str) -> Rehearsal:
    """The rehearsal, once it has one of the statuses."""

    async def reached() -> bool:
        return (await rehearsals.get(engine, rehearsal_id)).status in statuses

    await until(f"{rehearsal_id} is {' or '.join(statuses)}", reached)
    return await rehearsals.get(engine, rehearsal_id)


async def bulk_asked(engine: AsyncEngine, orders: int) -> str:
    """A bulk run that cancels so many orders of its own, not begun."""
    named = []
    for _ in range(orders):
        order = small.order(f"bulk-{uuid4().hex[:12]}", tags=[], A=1)
        await accept(Database(engine), order)
        named.append(order.order_id)
    call = BulkCall(CancelOrders(), BulkSelection(orders=tuple(named)), "a recall")
    async with engine.begin() as connection:
        run, _ = await bulk_runs.ask(connection, caller(), call, utc_now())
    return run.id


@asynccontextmanager
async def doing(client: Client, engine: AsyncEngine, task_queue: str = "") -> AsyncIterator[BackgroundWork]:
    """A worker that does what is begun, while the block runs."""
    queue = task_queue or f"q-{uuid4().hex}"
    house = House(client, engine, queue, allocates=False, relays=False, background=True)
    async with house.working():
        yield BackgroundWork(Durable(client, house.task_queue), engine)


_HOLD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7);
    RETURN NULL;
END
$$
"""
_WAITING = """
FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass
class Barrier:
    """Transactions that come to a certain row wait here until `release`."""

    engine: AsyncEngine
    _holding: AsyncConnection

    async def reached(self) -> None:
        """Wait until somebody waits."""

        async def waits() -> bool:
            return bool(await one(self.engine, f"SELECT count(*) {_WAITING}"))

        await until("somebody waits at the barrier", waits)

    async def cut_off(self) -> None:
        """End the connections of those who wait."""
        assert await rows(self.engine, f"SELECT pg_terminate_backend(pid) {_WAITING}") != []

    async def release(self) -> None:
        """Let everybody pass from now on."""
        await self._holding.execute(text("SELECT pg_advisory_unlock_all()"))


@asynccontextmanager
async def barrier(engine: AsyncEngine, when: str) -> AsyncIterator[Barrier]:
    """A barrier at a row, as `AFTER UPDATE ON rehearsals FOR EACH ROW WHEN (NEW.done = 2)`."""
    async with engine.begin() as connection:
        await connection.execute(text(_HOLD))
        await connection.execute(text(f"CREATE TRIGGER held {when} EXECUTE FUNCTION hold()"))
    async with reading(engine).connect() as holding:
        await holding.execute(text("SELECT pg_advisory_lock(7)"))
        made = Barrier(engine, holding)
        try:
            yield made
        finally:
            await made.release()


async def pending(client: Client, workflow_id: str) -> PendingActivityInfo | None:
    """The activity of a workflow that is under way."""
    described = await client.get_workflow_handle(workflow_id).describe()
    return next(iter(described.raw_description.pending_activities), None)


async def told(client: Client, workflow_id: str) -> bool:
    """Whether the activity that is under way is to be cancelled."""
    seen = await pending(client, workflow_id)
    return seen is not None and seen.state == PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED


async def heard(client: Client, workflow_id: str) -> None:
    """Wait until the worker heard that it must stop: with the answer to a heartbeat that came after it was told."""
    await until("the activity is to be cancelled", lambda: told(client, workflow_id))
    await heartbeats(client, workflow_id)


async def heartbeats(client: Client, workflow_id: str) -> None:
    """Wait for two more heartbeats of the activity that is under way, or for its end."""
    beats: set[int] = set()

    async def beat_since() -> bool:
        seen = await pending(client, workflow_id)
        if seen is None:
            return True
        beats.add(seen.last_heartbeat_time.ToNanoseconds())
        return len(beats) >= 3

    await until("the worker heard of it", beat_since)


AFTER_TWO_CHUNKS = "AFTER UPDATE ON stock_imports FOR EACH ROW WHEN ((NEW.outcomes->>'applied')::int = 6)"
"""Of three rows each; the second one is not committed yet."""
AT_THE_THIRD_ORDER = "AFTER UPDATE ON bulk_items FOR EACH ROW WHEN (NEW.position = 3)"
AFTER_TWO_DECISIONS = "AFTER UPDATE ON rehearsals FOR EACH ROW WHEN (NEW.done = 2)"


@asynccontextmanager
async def worker_process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker of `tests.worlds.background_process`, killed at the end of the block if it is not dead by then."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.worlds.background_process", *arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a worker where it stands."""
    process.kill()
    await process.wait()
