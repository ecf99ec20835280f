"""What people see of an order in the Temporal UI: summaries, a short report, and search attributes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from workflows.attributes import NODE, STATUS
from workflows.words import counted, listed

with workflow.unsafe.imports_passed_through():
    from dom.orders.order import Order, Promise
    from dom.orders.status import ENDED_UNDELIVERED, FulfilmentStatus, OrderStatus, SourcingCause
    from dom.orders.transitions import NEEDS_A_PERSON
    from dom.orders.views import FulfilmentView, HoldView, OrderView
    from workflows.messages import REFUSED

_LINES_SHOWN = 12
_NOTES_SHOWN = 6
_SUMMARY_LENGTH = 180
"""Temporal keeps 200 bytes of a summary."""

_NEXT = {
    FulfilmentStatus.RELEASED: "the node accepts or rejects",
    FulfilmentStatus.ACCEPTED: "the node picks",
    FulfilmentStatus.PICKED: "the node packs",
    FulfilmentStatus.PACKED: "the carrier is booked",
    FulfilmentStatus.BOOKED: "the node hands over to the carrier",
    FulfilmentStatus.READY: "the customer collects",
    FulfilmentStatus.HANDED_OVER: "the carrier delivers",
}


def start_summary(order: Order) -> str:
    """One line that tells an order from the others in a list of workflows."""
    units = sum(line.quantity for line in order.lines)
    district = order.ship_to.postal_code.partition(" ")[0]
    where = f"{order.ship_to.country} {district}".rstrip()
    goods = f"{counted(len(order.lines), 'line')}, {counted(units, 'unit')}"
    return _short(f"{order.channel} order {order.external_id}: {goods} for {where}")


class OrderBoard:
    """Keeps what is shown of one order up to date; says nothing twice."""

    def __init__(self, order: Order, captured_at: datetime) -> None:
        self._order = order
        self._captured_at = captured_at
        self._promise: Promise | None = None
        self._said: list[str] = []
        self._status: str = OrderStatus.ACCEPTED
        self._nodes: tuple[str, ...] = ()
        self._statuses: dict[str, FulfilmentStatus] = {}

    def edited(self, order: Order) -> None:
        """The order is another one since."""
        self._order = order

    def show(self, view: OrderView) -> None:
        """Write the report, and the search attributes that changed: an event of the history, the report is none."""
        self._note_trouble(view)
        workflow.set_current_details(self._report(view))
        status = view.status
        nodes = tuple(sorted({each.node_id for each in view.fulfilments if each.status not in ENDED_UNDELIVERED}))
        updates: list[SearchAttributeUpdate[Any]] = []
        if status != self._status:
            updates.append(STATUS.value_set(status))
        if nodes != self._nodes:
            updates.append(NODE.value_set(nodes))
        if updates:
            workflow.upsert_search_attributes(updates)
        self._status, self._nodes = status, nodes

    def _note_trouble(self, view: OrderView) -> None:
        """What became of a parcel since the last time, and stands in the exception queue."""
        for each in view.fulfilments:
            known = self._statuses.get(each.fulfilment_id)
            if known not in {None, each.status} and each.status in NEEDS_A_PERSON:
                self.note(f"{NEEDS_A_PERSON[each.status]}: {each.fulfilment_id}")
        self._statuses = {each.fulfilment_id: each.status for each in view.fulfilments}

    def refused(self, reason: str) -> None:
        """The order is refused: nothing of it is kept."""
        self._status = REFUSED
        workflow.set_current_details(f"{_title(self._order)}: **refused**\n\n{reason}")
        workflow.upsert_search_attributes([STATUS.value_set(REFUSED)])

    def promised(self, promise: Promise | None) -> None:
        """A promise was given; one that is later than the last moves its end."""
        if promise is not None and self._promise is not None:
            promise = Promise(earliest=promise.earliest, latest=max(promise.latest, self._promise.latest))
        self._promise = promise or self._promise

    def note(self, words: str) -> None:
        """Something a person should know; the last few stand in the report."""
        self._said = [*self._said, f"{_moment(workflow.now())} {words}"][-_NOTES_SHOWN:]

    def cancelled_by_temporal(self, units: int, view: OrderView) -> None:
        """Temporal was asked to cancel the workflow: so many units were cancelled, and the others have left."""
        left = sum(line.quantity for line in self._order.lines) - sum(view.cancelled.values())
        words = f"Cancellation requested in Temporal: {units} units were cancelled"
        self.note(words + (f"; {left} have left their node and go on to their end" if left else ""))
        self.show(view)

    def accept_summary(self) -> str:
        """What the first transaction does."""
        return _short(f"Record, plan and reserve {_goods((n.sku, n.quantity) for n in self._order.lines)}")

    def lost(self) -> None:
        """The store does not hold the order, although an earlier run captured it."""
        workflow.set_current_details(
            f"{_title(self._order)}: **the store does not hold it**\n\nAn earlier run of this process captured it. "
            "Nothing is done until the store holds it again, or it is captured anew: "
            f"`dom orders revive {self._order.order_id}`."
        )

    def source_summary(self, view: OrderView, cause: SourcingCause) -> str:
        """What is sourced anew, and why."""
        return _short(f"Source again ({cause}): {self._waiting(view)}")

    def cancel_summary(self, units: Mapping[str, int | None] | None) -> str:
        """What is to be cancelled, by line."""
        if units is None:
            return "Cancel the order"
        lines = [f"{'all' if n is None else n} of line {line_id}" for line_id, n in units.items()]
        return _short("Cancel " + ", ".join(lines))

    def waiting_summary(self, view: OrderView) -> str:
        """What the order waits for."""
        if view.holds:
            return _short("On hold: " + "; ".join(_hold(each) for each in view.holds))
        return _short(f"Wait for stock: {self._waiting(view)}")

    def _waiting(self, view: OrderView) -> str:
        return _goods((n.sku, view.waiting[n.line_id]) for n in self._order.lines if n.line_id in view.waiting)

    def _report(self, view: OrderView) -> str:
        """The order as Markdown. In lists: the Temporal UI runs the columns of a table together."""
        to = f"{self._order.ship_to.country} {self._order.ship_to.postal_code}".strip()
        now = workflow.now()
        promise = self._promise
        times = [
            f"placed {_moment(self._order.placed_at)}, captured {_moment(self._captured_at)}",
            f"as it stood at {_moment(now)}, {_span(now - self._captured_at)} after capture",
            f"promised {_moment(promise.earliest)} to {_moment(promise.latest)}" if promise else "no promise",
        ]
        parts = [
            f"{_title(self._order)} for {self._order.customer.id}, {to}: **{view.status}**",
            listed("", times),
            listed("To be looked at", self._said),
            listed("On hold", [_hold(each) for each in view.holds]),
            f"Waits for stock: {self._waiting(view)}" if view.waiting else "",
            listed("Fulfilments", [_fulfilment(each) for each in view.fulfilments]),
            listed("Lines", _lines(self._order, view)),
        ]
        return "\n\n".join(part for part in parts if part)


def _title(order: Order) -> str:
    return f"**{order.channel} order {order.external_id}**"


def _lines(order: Order, view: OrderView) -> list[str]:
    rows = []
    for n in order.lines[:_LINES_SHOWN]:
        units = ((view.waiting.get(n.line_id), "waiting"), (view.cancelled.get(n.line_id), "cancelled"))
        rows.append(f"line {n.line_id}: {n.quantity} x {n.sku}" + "".join(f", {n} {what}" for n, what in units if n))
    if len(order.lines) > _LINES_SHOWN:
        rows.append(f"{len(order.lines) - _LINES_SHOWN} more lines")
    return rows


def _fulfilment(fulfilment: FulfilmentView) -> str:
    tracking = f", {fulfilment.tracking}" if fulfilment.tracking else ""
    following = _NEXT.get(fulfilment.status)
    units = counted(fulfilment.units, "unit")
    return f"{fulfilment.fulfilment_id} at {fulfilment.node_id}: {units}, **{fulfilment.status}**{tracking}" + (
        f"; next {following}" if following else ""
    )


def _hold(hold: HoldView) -> str:
    until = f", until {_moment(hold.release_at)}" if hold.release_at else ""
    return f"{hold.type} blocks {', '.join(hold.blocks)}{until} ({hold.hold_id})"


def _goods(units: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{quantity} x {sku}" for sku, quantity in units)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _span(span: timedelta) -> str:
    minutes = max(int(span.total_seconds()) // 60, 0)
    days, hours = minutes // (24 * 60), minutes // 60 % 24
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"


def _short(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= _SUMMARY_LENGTH:
        return text
    return encoded[:_SUMMARY_LENGTH].decode(errors="ignore") + "…"
