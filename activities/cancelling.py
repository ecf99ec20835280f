"""Cancelling: units leave the order, and what they held goes back to availability."""

from dataclasses import dataclass

from temporalio import activity

from activities.boundary import Database
from activities.looking_again import Answer
from dom.orders.changes import MovedUnits
from dom.orders.commands import Cancellation
from dom.orders.transitions import decide
from dom.shared.base import Value
from dom.shared.errors import Conflict
from services.change_orders import locked, write


class CancelOrder(Value):
    """Cancel units of an order; `planned` is what the order's process expects to be taken, and from where.

    `number` counts the order's cancellations: with it one is written once, however often it is tried.
    """

    order_id: str
    number: int
    command: Cancellation
    planned: frozenset[MovedUnits]


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Cancellations before hand-over."""

    database: Database

    @activity.defn(name="cancel_units")
    async def cancel_units(self, request: CancelOrder) -> Answer | None:
        """Release reservations and node capacity, count the units as cancelled, tell the customer; once a number.

        Answers RECALLED, and writes nothing, if the units are not where the process expects them: a second look gave
        them to other nodes.
        """
        async with self.database.transaction() as connection:
            state = await locked(connection, request.order_id)
            if request.number <= state.cancellations:
                return None
            try:
                change = decide(state, request.command)
            except Conflict:
                return Answer.RECALLED
            if frozenset(change.moved) != request.planned:
                return Answer.RECALLED
            await write(connection, state, change, webhook=self.database.webhooks)
        return None
