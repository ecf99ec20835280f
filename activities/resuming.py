"""Going on with an order whose process is gone: what the store holds of it, as a new process needs it."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from activities.sourcing import Sourced, sourced
from dom.orders.events import EventKind, ProcessRevivedData
from dom.orders.order import Promise
from dom.orders.status import GONE, CarrierEventKind
from dom.orders.views import OrderView
from dom.shared.base import Value
from services import carrier_reports, order_views
from services.carrier_reports import ParcelReport
from services.change_orders import Writing
from store import backorders
from store.orders import orders, processes, resuming, timeline
from store.sourcing import decisions


class ResumeOrder(Value):
    """Read an order for a process that begins anew. `revived_by`: who asked for that, `run_id`: the process."""

    order_id: str
    revived_by: str | None
    run_id: str


class ResumedOrder(Value):
    """An order as it stands in the store.

    `sourced` is what the last sourcing said of units that wait, `sourcings` its number, and `waiting_seconds` how long
    they have waited. `captured_here`: the process that asks captured it, and was interrupted.
    """

    view: OrderView
    promise: Promise | None
    sourced: Sourced
    sourcings: int
    waiting_seconds: int
    captured_here: bool = False


@dataclass(frozen=True, slots=True)
class Resuming:
    """Orders that go on."""

    database: Database

    @activity.defn(name="resume_order")
    async def resume_order(self, request: ResumeOrder) -> ResumedOrder | None:
        """The order as the store holds it; None if it does not. What told a person that its process is gone is closed.

        What carriers reported while no process was there to hear is carried out. Second looks count as taken in.
        """
        async with self.database.transaction() as connection:
            await backorders.lock_order(connection, request.order_id)
            known = await orders.find(connection, request.order_id)
            if known is None:
                return None
            last = await resuming.last_sourcing(connection, request.order_id)
            made = await decisions.decision(connection, request.order_id, last.number)
            if made is None:
                return None
            await processes.process_runs_again(connection, request.order_id)
            if request.revived_by is not None:
                await timeline.append(connection, self._revived(request))
            await self._heed_carriers(connection, request.order_id)
            view = await order_views.read(connection, request.order_id, takes_in=True)
            accepted = await timeline.data_of(connection, request.order_id, "accepted")
        if view is None:
            return None
        promised = known.promise_earliest is not None and known.promise_latest is not None
        return ResumedOrder(
            view=view,
            promise=Promise(earliest=known.promise_earliest, latest=known.promise_latest) if promised else None,
            sourced=_as_of_now(sourced(*made), last.decided_seconds),
            sourcings=last.number,
            waiting_seconds=last.waiting_seconds,
            captured_here=accepted.get("run_id") == request.run_id,
        )

    async def _heed_carriers(self, connection: AsyncConnection, order_id: str) -> None:
        writing = Writing(webhook=self.database.webhooks)
        for row in await resuming.carrier_reports(connection, order_id, sorted(GONE)):
            said = ParcelReport(
                fulfilment_id=row["fulfilment_id"],
                kind=CarrierEventKind(row["kind"]),
                actor=row["carrier"],
                at=row["occurred_at"],
                shipment_id=row["shipment_id"],
                event_id=row["event_id"],
            )
            await carrier_reports.heed(connection, order_id, said, writing)

    def _revived(self, request: ResumeOrder) -> timeline.Event:
        return timeline.Event(
            order_id=request.order_id,
            kind=EventKind.PROCESS_REVIVED,
            business_key=f"process_revived:{request.run_id}",
            actor=request.revived_by or "",
            occurred_at=self.database.now(),
            data=ProcessRevivedData(),
            reason="the order's process was gone, or did not agree with the store",
        )


def _as_of_now(said: Sourced, seconds_ago: int) -> Sourced:
    """What a sourcing said, with its spans counted from now."""
    if said.release_seconds is None:
        return said
    return said.model_copy(update={"release_seconds": max(said.release_seconds - seconds_ago, 0)})
