"""Arriving after all: a parcel that was lost reached the customer, and what was to replace it stays where it is."""

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from activities.boundary import Database
from activities.cancelling import CancelPart, by_fulfilment, take_out
from activities.fulfilling import occasion
from activities.looking_again import Answer
from dom.notifications.messages import MessageKind
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared.base import Value
from store.delivery import shipments
from store.enums import ShipmentStatus
from store.fulfilment import fulfilments
from store.notifications import messages
from store.orders import timeline


class CountAsDelivered(Value):
    """A lost fulfilment counts as delivered. `parts` are the units that replaced its own and are not to be sent: of
    fulfilments, or (None) of those that wait. `ended` fulfilments have none left; `reopened` ones are packed anew.

    `number` counts the steps of the fulfilment that arrived: with it the step is written once.
    """

    order_id: str
    fulfilment_id: str
    number: int
    shipment_id: str | None
    parts: tuple[CancelPart, ...]
    ended: tuple[str, ...]
    reopened: tuple[str, ...]
    order_status: OrderStatus
    actor: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Arriving:
    """Parcels that arrive although they were lost."""

    database: Database

    @activity.defn(name="count_as_delivered")
    async def count_as_delivered(self, request: CountAsDelivered) -> Answer | None:
        """Take the replacement back, count the parcel as delivered and tell the customer; once a step's number.

        Answers RECALLED, and writes nothing, if some of the units are in work that a second look took back.
        """
        try:
            await self._write(request)
        except fulfilments.Recalled:
            return Answer.RECALLED
        return None

    async def _write(self, request: CountAsDelivered) -> None:
        key = f"{request.fulfilment_id}:{request.number}:{FulfilmentStatus.DELIVERED}"
        units = by_fulfilment(request.parts)
        waited = {part.line_id: part.quantity for part in request.parts if part.fulfilment_id is None}
        async with self.database.transaction() as connection:
            event = timeline.Event(
                request.order_id,
                f"fulfilment_{FulfilmentStatus.DELIVERED}",
                key,
                request.actor,
                request.occurred_at,
                request.reason,
                {"fulfilment_id": request.fulfilment_id, "taken_back": units, "waited": waited},
            )
            if not await take_out(connection, request, event, cancelled={}):
                return
            await fulfilments.set_status(connection, request.fulfilment_id, FulfilmentStatus.DELIVERED)
            if request.shipment_id is not None:
                await shipments.set_status(
                    connection, request.shipment_id, ShipmentStatus.DELIVERED, request.occurred_at
                )
            await messages.write(
                connection,
                request.order_id,
                occasion(request.fulfilment_id, FulfilmentStatus.DELIVERED),
                MessageKind.DELIVERED,
                context={"fulfilment_id": request.fulfilment_id},
                webhook=self.database.webhooks,
            )
