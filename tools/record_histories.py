"""Records the histories that `tests/replay` replays: `python -m tools.record_histories [PATH ...]`.

A new path is recorded by its name, so that what was recorded before goes on being replayed; without names all are anew.

Runs the main paths of orders and returns on embedded servers and the small world of the tests, and writes one file a
workflow, one event a line. Who ran a step on which machine is left out, and so are stack traces.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowContinuedAsNewError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.relaying import RelayTurn
from cli.embedded import postgres, temporal
from dom.orders.calls import CancelCall, StepLine
from dom.orders.cancellation import CancelMode
from dom.orders.order import Order
from dom.orders.return_calls import InspectCall, InspectedLine, ReceiveCall, ReturnRequest, ReturnRequestLine
from dom.orders.status import Disposition
from dom.shared import ids
from dom.sourcing.valuation.terms import PricingTerms
from processes.consistency import Living
from processes.revival import revive
from store import stock
from store.database import engine as database
from store.database import migrate
from store.enums import LedgerKind
from store.stock import Movement
from tests.worlds import small
from tests.worlds.outside import RecordingCarrier
from tests.worlds.reoptimising import comes, reoptimisation_job
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import (
    cancel,
    deliver,
    pack,
    ship,
    stock_comes,
    until_event,
    until_order,
    until_released,
)
from tests.worlds.waiting import until, until_status
from tools import recorded_staff, recorded_work
from workflows.messages import ReturnEnd, ReturnInput
from workflows.order.process import OrderWorkflow
from workflows.outbox_relay import WORKFLOW_ID as RELAY_ID
from workflows.outbox_relay import RelayInput, ensure
from workflows.pricing import SCHEDULE_ID, PriceStockWorkflow
from workflows.returns import ReturnWorkflow

FOLDER = Path(__file__).parent.parent / "tests" / "replay" / "histories"
RECORDER = "recorder"
_PATIENCE_SECONDS = 30
_PERSONAL = frozenset({"identity", "stackTrace", "workerInstanceKey", "workerControlTaskQueue"})


async def delivered(house: House, order: Order) -> None:
    """One line, one parcel, delivered."""
    await deliver(house, order)


async def split(house: House, order: Order) -> None:
    """Two nodes, two parcels."""
    await deliver(house, order, 1)
    await until_order(house, order, "part_shipped")
    await deliver(house, order, 2)


async def cancelled_whole(house: House, order: Order) -> None:
    """Cancelled when the parcel was booked already."""
    await pack(house, order)
    await cancel(house, order)


async def cancelled_line(house: House, order: Order) -> None:
    """One line cancelled when the parcel was booked: packed and booked anew."""
    await pack(house, order)
    await cancel(house, order, l1=0)
    await until_event(house, order, "booking_voided")
    await house.node(order, "pack")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "booked")
    await house.node(order, "hand-over")
    await house.carrier_says(order, "delivered")


async def rejected(house: House, order: Order) -> None:
    """Rejected by its node and delivered by another."""
    await house.node(order, "reject", reason="broken shelf")
    await until_released(house, order, 2)
    await deliver(house, order, 2)


async def short_pick(house: House, order: Order) -> None:
    """Half of it was not found, and came from another node."""
    await house.node(order, "accept")
    await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
    await until_released(house, order, 2)
    await house.node(order, "pack", "reject")
    await until_event(house, order, "report_out_of_turn")
    await ship(house, order, 1)
    await house.carrier_says(order, "delivered", 1)
    await deliver(house, order, 2)


async def backordered(house: House, order: Order) -> None:
    """Waited for stock, which came."""
    arrived = Movement("dc-leeds", "NEVER", 1, LedgerKind.RECEIPT, "receipt", "receipt")
    async with house.engine.begin() as connection:
        await stock.move(connection, arrived, actor=RECORDER, at=MONDAY_NOON)
    await stock_comes(house, order, "NEVER")
    await until_released(house, order, 1)
    await deliver(house, order)


async def picked_up(house: House, order: Order) -> None:
    """Made ready in a store and collected."""
    await house.node(order, "accept", "pick", "pack")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "ready_for_collection")
    await house.node(order, "collect")


async def lost(house: House, order: Order) -> None:
    """Lost by the carrier and sent again."""
    await ship(house, order)
    await house.carrier_says(order, "lost")
    await until_released(house, order, 2)
    await deliver(house, order, 2)


async def stray_scans(house: House, order: Order) -> None:
    """One parcel comes back, the other is packed anew: a scan of its voided label is a stray, the first of the new one
    hands it over. It is lost, and arrives after all.
    """
    await ship(house, order, 2)
    await house.carrier_says(order, "returned_to_sender", 2, booking=1)
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 2), "returned_to_sender")
    await pack(house, order)
    await cancel(house, order, l1=1)
    await until_event(house, order, "booking_voided")
    await house.carrier_says(order, "delivered", booking=1)
    await until_event(house, order, "report_out_of_turn")
    await house.node(order, "pack")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "booked")
    await house.carrier_says(order, "picked_up", booking=2)
    await house.carrier_says(order, "lost", booking=2)
    await until_released(house, order, 3)
    await house.carrier_says(order, "delivered", booking=2)


async def came_back(house: House, order: Order) -> None:
    """One of two parcels comes back; then the node of the other, which was there from the start, begins."""
    await ship(house, order, 2)
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 2), "handed_over")
    await house.carrier_says(order, "returned_to_sender", 2, booking=1)
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 2), "returned_to_sender")
    await house.node(order, "accept", number=1)
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "accepted")
    await deliver(house, order, 1)


async def asked_back(house: House, order: Order) -> None:
    """What was handed over is asked back of its carrier, and comes."""
    await ship(house, order)
    await until_order(house, order, "shipped")
    await house.handle(order).execute_update(OrderWorkflow.cancel, CancelCall(mode=CancelMode.ASK))

    async def is_asked() -> bool:
        return bool(house.carrier.intercepted)

    await until("the carrier is asked", is_asked)
    await house.carrier_says(order, "intercepted")


async def carrier_refuses(house: House, order: Order) -> None:
    """No carrier takes it from anywhere; the customer gives up."""
    await house.node(order, "pack")
    await until_order(house, order, "backordered")
    await cancel(house, order)


async def looked_at_again(house: House, order: Order) -> None:
    """Given to another node before any began; the node that lost it reports, and a unit is cancelled."""
    await comes(house.engine, "dc-leeds", "RARE", 3)
    await reoptimisation_job(house.engine).run()
    await until_released(house, order, 3)
    await house.node(order, "accept")
    await until_event(house, order, "report_out_of_turn")
    await cancel(house, order, l1=1)
    await deliver(house, order, 3)


async def cancelled_by_temporal(house: House, order: Order) -> None:
    """Somebody pressed "Request Cancellation" when one of two parcels had left."""
    await ship(house, order, 1)
    await until_order(house, order, "part_shipped")
    await house.handle(order).cancel()
    await until_event(house, order, "cancelled")
    await house.carrier_says(order, "delivered", 1)


async def revived(house: House, order: Order) -> None:
    """Its process was terminated when one of two parcels was booked, and began anew."""
    await pack(house, order, 1)
    await house.handle(order).terminate("by hand")
    fault = await Living(house.engine, house.client, house.task_queue).of(order.order_id)
    if fault is not None:
        await revive(house.engine, house.client, house.task_queue, fault, RECORDER)
    await until_event(house, order, "process_revived")
    await house.node(order, "hand-over", number=1)
    await house.carrier_says(order, "delivered", 1)
    await deliver(house, order, 2)


PATHS: dict[str, tuple[Callable[[House, Order], Awaitable[None]], dict[str, Any]]] = {
    "delivered": (delivered, {"A": 2}),
    "split": (split, {"RARE": 5}),
    "cancelled-whole": (cancelled_whole, {"A": 2}),
    "cancelled-line": (cancelled_line, {"A": 2, "B": 1}),
    "rejected": (rejected, {"RARE": 2}),
    "short-pick": (short_pick, {"RARE": 2}),
    "backordered": (backordered, {"NEVER": 1}),
    "picked-up": (picked_up, {"A": 2, "shipping_method": "pickup", "pickup_node": "st-york"}),
    "lost": (lost, {"RARE": 2}),
    "stray-scans": (stray_scans, {"RARE": 5}),
    "came-back": (came_back, {"RARE": 5}),
    "asked-back": (asked_back, {"A": 2}),
    "carrier-refuses": (carrier_refuses, {"B": 1}),
    "reoptimised": (looked_at_again, {"RARE": 5}),
    "cancelled-by-temporal": (cancelled_by_temporal, {"RARE": 5}),
    "revived": (revived, {"RARE": 5}),
    **recorded_staff.PATHS,
}


PRICED = "priced"
"""The path that is no order's: what stock is worth."""


async def price_stock(house: House) -> str:
    """One run of pricing; answers the workflow."""
    workflow_id = f"{SCHEDULE_ID}-{PRICED}"
    await house.client.execute_workflow(
        PriceStockWorkflow.run, PricingTerms(), id=workflow_id, task_queue=house.task_queue
    )
    return workflow_id


RELAYED = "relayed"
"""The path that sends what orders have to tell."""


async def relay(house: House, order: Order) -> WorkflowHandle[Any, None]:
    """Two turns of the relay, which send an order's first mail; answers their run."""
    await house.send(order)
    start = RelayInput(turn=RelayTurn(seconds=0.5), turns=2)
    handle = await ensure(house.client, house.task_queue, start, workflow_id=f"{RELAY_ID}-{RELAYED}")
    first = house.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    try:
        await first.result(follow_runs=False)
    except WorkflowContinuedAsNewError:
        await handle.terminate("recorded")
    return first


async def take_back(house: House, order: Order) -> str:
    """Return a unit of a delivered order; answers the workflow."""
    return_id = ids.return_id(order.order_id, RECORDER)
    request = ReturnRequest(order_id=order.order_id, lines=(ReturnRequestLine(line_id="1", quantity=1),))
    start = WithStartWorkflowOperation(
        ReturnWorkflow.run,
        ReturnInput(return_id=return_id, request=request),
        id=ids.return_workflow_id(return_id),
        task_queue=house.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await house.client.execute_update_with_start_workflow(ReturnWorkflow.accept, start_workflow_operation=start)
    handle: WorkflowHandle[ReturnWorkflow, ReturnEnd] = house.client.get_workflow_handle_for(
        ReturnWorkflow.run, ids.return_workflow_id(return_id)
    )
    await handle.execute_update(ReturnWorkflow.receive, ReceiveCall())
    seen = InspectedLine(line_id="1", quantity=1, disposition=Disposition.RESTOCK)
    await handle.execute_update(ReturnWorkflow.inspect, InspectCall(lines=(seen,)))
    await handle.result()
    return handle.id


def _without_persons(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_persons(part) for name, part in value.items() if name not in _PERSONAL}
    return [_without_persons(part) for part in value] if isinstance(value, list) else value


async def write(client: Client, workflow_id: str, name: str, run_id: str | None = None) -> None:
    """Fetch a workflow's history and write it, one event a line."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    events = _without_persons(json.loads(history.to_json()))["events"]
    lines = ",\n".join(json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in events)
    (FOLDER / f"{name}.json").write_text('{"events":[\n' + lines + "\n]}\n", encoding="utf-8")
    print(f"{name}: {len(events)} events")


async def record(client: Client, engine: AsyncEngine, name: str) -> None:
    """Run one path in a world of its own and write what became of it."""
    if name == PRICED:
        async with asyncio.timeout(_PATIENCE_SECONDS), House(client, engine).working() as house:
            await write(client, await price_stock(house), name)
        return
    if name in recorded_work.RECORDED:
        async with asyncio.timeout(_PATIENCE_SECONDS), House(client, engine, background=True).working() as house:
            await write(client, await recorded_work.do(house, name), name)
        return
    if name == RELAYED:
        async with asyncio.timeout(_PATIENCE_SECONDS), House(client, engine, relays=False).working() as house:
            run = await relay(house, small.order(name, A=1))
            await write(client, run.id, name, run.run_id)
        return
    path, fields = PATHS[name]
    order = small.order(name, **fields)
    carrier = RecordingCarrier(refuses=path is carrier_refuses)
    async with asyncio.timeout(_PATIENCE_SECONDS), House(client, engine, carrier=carrier).working() as house:
        await house.send(order)
        await path(house, order)
        await house.handle(order).result()
        await write(client, ids.order_workflow_id(order.order_id), name)
        if path is delivered:
            await write(client, await take_back(house, order), "returned")


async def record_all(database_url: str, temporal_address: str, names: Sequence[str]) -> None:
    """Run these paths, one after the other."""
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter, identity=RECORDER)
    engine = database.create(database_url, 8)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            await connection.exec_driver_sql("CREATE SCHEMA public")
        await engine.dispose()
        await asyncio.to_thread(migrate.upgrade, database_url)
        async with engine.begin() as connection:
            await small.write(connection)
        await record(client, engine, name)
    await engine.dispose()


def main() -> None:
    """Start the servers, record what is named on the command line, or everything, and stop them."""
    known = [*PATHS, PRICED, RELAYED, *recorded_work.RECORDED]
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        sys.exit(f"there is no path {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    if names == known:
        for old in FOLDER.glob("*.json"):
            old.unlink()
    with TemporaryDirectory(prefix="dom-record-") as folder:
        store = postgres.start(Path(folder))
        try:
            server = temporal.start(Path(folder), in_memory=True)
            try:
                asyncio.run(record_all(store.url, server.address, names))
            finally:
                server.stop()
        finally:
            store.stop()


if __name__ == "__main__":
    main()
