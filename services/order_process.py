"""What an order's process asks of the store: to change the order, to heed a report, to read it, to go on with it.

Each is one transaction and answers with the order as it stands after it, which is all that the process knows.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders import cancellation
from dom.orders.cancellation import CancelMode
from dom.orders.commands import (
    CancelUnits,
    Command,
    MergeWork,
    MoveParcel,
    MoveWork,
    PlaceHold,
    Prioritise,
    ReleaseHold,
    ResendMessage,
    Reship,
    SourceWorkAgain,
    SplitWork,
    TakeNodeStep,
)
from dom.orders.events import EventKind, ProcessRevivedData
from dom.orders.views import Heeded, OrderAfter, OrderView
from dom.sourcing.sourced import ResumedOrder, sourced
from services import (
    cancellation_requests,
    carrier_reports,
    holds,
    merging,
    moving,
    node_steps,
    order_views,
    parcel_marks,
    prioritising,
    resending,
    sourcing,
    sourcing_work_again,
    splitting,
)
from services.capture import MESSAGE_KEY
from services.change_orders import change_order
from services.database import Database
from store import backorders, stock
from store.orders import orders, processes, resuming, timeline
from store.sourcing import decisions


async def change(database: Database, order_id: str, command: Command) -> OrderAfter:
    """Carry the command out. Raises what stands in its way, as the commands say; then nothing is written."""
    try:
        return await sourcing.in_reach(lambda: _change(database, order_id, command))
    except stock.OutOfReach as taken:
        if not isinstance(command, MoveWork | SourceWorkAgain):
            raise
        raise sourcing.taken_meanwhile(command.fulfilment_id) from taken


async def _change(database: Database, order_id: str, command: Command) -> OrderAfter:
    async with database.transaction() as connection:
        if isinstance(command, PlaceHold | ReleaseHold):
            changed = await holds.carry_out(connection, order_id, command, database.writing)
        elif isinstance(command, MoveParcel | Reship):
            changed = await parcel_marks.mark(connection, command, database.writing)
        elif isinstance(command, MoveWork):
            changed = await moving.move_in(database, connection, command, database.writing)
        elif isinstance(command, SourceWorkAgain):
            changed = await sourcing_work_again.source_work_again_in(database, connection, command, database.writing)
        elif isinstance(command, SplitWork):
            changed = await splitting.split(connection, command, database.writing)
        elif isinstance(command, MergeWork):
            changed = await merging.merge(connection, command, database.writing)
        elif isinstance(command, Prioritise):
            changed = await prioritising.prioritise(connection, order_id, command, database.writing)
        elif isinstance(command, ResendMessage):
            changed = await resending.resend(connection, order_id, command, database.writing)
        else:
            if isinstance(command, CancelUnits) and command.mode is CancelMode.ASK:
                reference = await database.reference.now(connection)
                command = await cancellation_requests.timed(connection, order_id, command, reference, database.now())
            changed = await change_order(connection, order_id, command, database.writing)
        return OrderAfter(
            view=await order_views.get(connection, order_id),
            units=cancellation.units_taken(changed.data),
            lines=cancellation.of_event(changed.data) if isinstance(command, CancelUnits) else (),
            request_hash=changed.data.get("request_hash"),
        )


async def heed(database: Database, order_id: str, report: TakeNodeStep | ParcelReport) -> Heeded:
    """Carry out what a report means, or put it before a person; once. Raises NotFound for one of no fulfilment."""
    async with database.transaction() as connection:
        if isinstance(report, TakeNodeStep):
            heeded = await node_steps.heed(connection, order_id, report, database.writing)
        else:
            heeded = await carrier_reports.heed(connection, order_id, report, database.writing)
        return Heeded(view=await order_views.get(connection, order_id), unexpected=not heeded)


async def read(database: Database, order_id: str, revision: int = 0) -> OrderView | None:
    """The order as it stands, with its document if it was edited since the revision; None if the store does not hold
    it. What re-optimisations changed counts as applied.

    It waits for no change that is on its way: of that the process is told once it is written.
    """
    async with database.statement() as connection:
        view = await order_views.read(connection, order_id, takes_in=True)
        if view is None or view.revision <= revision:
            return view
        return view.model_copy(update={"order": await orders.document(connection, order_id)})


async def resume(database: Database, order_id: str, *, revived_by: str | None, run_id: str) -> ResumedOrder | None:
    """The order for a process that begins anew; None if the store does not hold it. `revived_by`: who asked for that,
    `run_id`: the process. What told a person that its process is gone is closed.

    What carriers reported and was not carried out yet is carried out. Re-optimisations count as applied.
    """
    async with database.transaction() as connection:
        await backorders.lock_order(connection, order_id)
        known = await orders.find(connection, order_id)
        last = await resuming.last_sourcing(connection, order_id)
        made = await decisions.decision(connection, order_id, last.number)
        if known is None or made is None:
            return None
        await processes.process_runs_again(connection, order_id)
        if revived_by is not None:
            await timeline.append(connection, _revived(database, order_id, revived_by, run_id))
        await _heed_carriers(database, connection, order_id)
        view = await order_views.read(connection, order_id, takes_in=True)
        accepted = await timeline.data_of(connection, order_id, MESSAGE_KEY)
    if view is None:
        return None
    return ResumedOrder(
        view=view,
        promise=known.promise,
        sourced=sourced(*made).as_of_now(last.decided_seconds),
        sourcings=last.number,
        waiting_seconds=last.waiting_seconds,
        captured_here=accepted.get("run_id") == run_id,
    )


async def _heed_carriers(database: Database, connection: AsyncConnection, order_id: str) -> None:
    for report in await resuming.carrier_reports(connection, order_id):
        await carrier_reports.heed(connection, order_id, report, database.writing)


def _revived(database: Database, order_id: str, revived_by: str, run_id: str) -> timeline.Event:
    return timeline.Event(
        order_id=order_id,
        kind=EventKind.PROCESS_REVIVED,
        business_key=f"process_revived:{run_id}",
        actor=revived_by,
        occurred_at=database.now(),
        data=ProcessRevivedData(),
        reason="the order's process was gone, or did not agree with the store",
    )
