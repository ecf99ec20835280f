"""What people see of an order in the Temporal UI: summaries, a short report, and search attributes."""

from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from workflows.attributes import NODE, STATUS

with workflow.unsafe.imports_passed_through():
    from dom.lifecycle import CancelledUnits, FulfilmentState, OrderState
    from dom.orders import Order
    from dom.status import FulfilmentStatus, OrderStatus, SourcingCause

_LINES_SHOWN = 12
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
    return _short(f"{order.channel} order {order.external_id}: {len(order.lines)} lines, {units} units for {where}")


class OrderBoard:
    """Keeps what is shown of one order up to date; says nothing twice."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._status = OrderStatus.ACCEPTED
        self._nodes: tuple[str, ...] = ()

    def show(self, state: OrderState) -> None:
        """Write the report, and the search attributes if the status or a later node changed.

        The order started as accepted; its first nodes are written with its first change, which spares an event.
        """
        workflow.set_current_details(describe(self._order, state))
        status, nodes = state.status(), tuple(sorted({f.node_id for f in state.living}))
        if status is OrderStatus.ACCEPTED and not self._nodes:
            return
        updates: list[SearchAttributeUpdate[Any]] = []
        if status is not self._status:
            updates.append(STATUS.value_set(status))
        if nodes != self._nodes:
            updates.append(NODE.value_set(nodes))
        if updates:
            workflow.upsert_search_attributes(updates)
        self._status, self._nodes = status, nodes

    def accept_summary(self) -> str:
        """What the first transaction does."""
        return _short(f"Record, plan and reserve {_goods((n.sku, n.quantity) for n in self._order.lines)}")

    def source_summary(self, state: OrderState, cause: SourcingCause) -> str:
        """What is sourced anew, and why."""
        return _short(f"Source again ({cause}): {_waiting(state)}")

    def cancel_summary(self, units: Iterable[CancelledUnits]) -> str:
        """What is cancelled."""
        return _short("Cancel " + ", ".join(f"{part.quantity} of line {part.line_id}" for part in units))

    def waiting_summary(self, state: OrderState) -> str:
        """What the order waits for."""
        return _short(f"Wait for stock: {_waiting(state)}")


def describe(order: Order, state: OrderState) -> str:
    """The order as a short Markdown report: status, lines, nodes, what comes next."""
    to = f"{order.ship_to.country} {order.ship_to.postal_code}".strip()
    parts = [
        f"**{order.channel} order {order.external_id}** for {order.customer.id}, {to}: **{state.status()}**",
        _lines(state),
        _fulfilments(state),
    ]
    if state.backordered:
        parts.append(f"Waits for stock: {_waiting(state)}")
    return "\n\n".join(part for part in parts if part)


def _lines(state: OrderState) -> str:
    rows = ["| line | SKU | ordered | waiting | cancelled |", "|---|---|---|---|---|"]
    lines = list(state.lines.values())
    rows += [
        f"| {n.line_id} | {n.sku} | {n.quantity} | {n.backordered} | {n.cancelled} |" for n in lines[:_LINES_SHOWN]
    ]
    if len(lines) > _LINES_SHOWN:
        rows.append(f"| … | {len(lines) - _LINES_SHOWN} more lines | | | |")
    return "\n".join(rows)


def _fulfilments(state: OrderState) -> str:
    if not state.fulfilments:
        return ""
    rows = ["| fulfilment | node | units | status | next |", "|---|---|---|---|---|"]
    rows += [_fulfilment(fulfilment) for fulfilment in state.fulfilments.values()]
    return "\n".join(rows)


def _fulfilment(fulfilment: FulfilmentState) -> str:
    units = sum(fulfilment.lines.values())
    following = _NEXT.get(fulfilment.status, "—")
    return f"| {fulfilment.id} | {fulfilment.node_id} | {units} | {fulfilment.status} | {following} |"


def _waiting(state: OrderState) -> str:
    return _goods((line.sku, line.backordered) for line in state.lines.values() if line.backordered)


def _goods(units: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{quantity} x {sku}" for sku, quantity in units)


def _short(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= _SUMMARY_LENGTH:
        return text
    return encoded[:_SUMMARY_LENGTH].decode(errors="ignore") + "…"
