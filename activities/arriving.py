"""Arriving after all: a parcel that was lost reached the customer, and what was to replace it stays where it is."""

from dataclasses import dataclass

from temporalio import activity

from activities.boundary import Database
from activities.looking_again import Answer
from dom.orders.changes import MovedUnits
from dom.orders.commands import CountAsDelivered
from dom.orders.transitions import decide
from dom.shared.base import Value
from dom.shared.errors import Conflict
from services.change_orders import locked, write


class ParcelArrived(Value):
    """A lost fulfilment counts as delivered; `planned` are the units that replaced its own and are not to be sent.

    `number` counts the steps of the fulfilment that arrived: with it the step is written once.
    """

    order_id: str
    number: int
    command: CountAsDelivered
    planned: frozenset[MovedUnits]


@dataclass(frozen=True, slots=True)
class Arriving:
    """Parcels that arrive although they were lost."""

    database: Database

    @activity.defn(name="count_as_delivered")
    async def count_as_delivered(self, request: ParcelArrived) -> Answer | None:
        """Take the replacement back, count the parcel as delivered and tell the customer; once a step's number.

        Answers RECALLED, and writes nothing, if the units are not where the process expects them.
        """
        async with self.database.transaction() as connection:
            state = await locked(connection, request.order_id)
            if request.number <= state.fulfilments[request.command.fulfilment_id].steps:
                return None
            try:
                change = decide(state, request.command)
            except Conflict:
                return Answer.RECALLED
            if frozenset(change.moved) != request.planned:
                return Answer.RECALLED
            await write(connection, state, change, webhook=self.database.webhooks)
        return None
