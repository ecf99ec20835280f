"""Fulfilling: each step of a node's or carrier's work is written down with what it does to stock and to the order."""

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from activities.boundary import Database
from activities.looking_again import Answer
from dom.orders.commands import BookCarrierRefused, MoveParcel, TakeNodeStep
from dom.orders.status import FulfilmentStatus
from dom.shared.base import Value
from dom.shared.errors import StepNotPossible
from services.change_orders import change_order
from store.fulfilment import unexpected_reports


class AdvanceFulfilment(Value):
    """A fulfilment takes a step.

    `number` counts the steps of the fulfilment: with it a step is written once, however often it is tried.
    """

    order_id: str
    number: int
    command: TakeNodeStep | MoveParcel | BookCarrierRefused


class StrayReport(Value):
    """A node or carrier reported what the fulfilment's status does not allow."""

    order_id: str
    fulfilment_id: str
    report: str
    status: FulfilmentStatus
    actor: str
    occurred_at: datetime
    shipment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fulfilling:
    """Steps of fulfilments."""

    database: Database

    @activity.defn(name="advance_fulfilment")
    async def advance_fulfilment(self, step: AdvanceFulfilment) -> Answer | None:
        """Write the step down, once: status, timeline, stock, waiting units, messages, exceptions.

        Answers RECALLED, and writes nothing, for work that a second look took back.
        """
        fulfilment_id = step.command.fulfilment_id
        async with self.database.transaction() as connection:
            try:
                await change_order(
                    connection,
                    step.order_id,
                    step.command,
                    webhook=self.database.webhooks,
                    is_repeat=lambda state: step.number <= state.fulfilments[fulfilment_id].steps,
                )
            except StepNotPossible:
                return Answer.RECALLED
        return None

    @activity.defn(name="note_stray_report")
    async def note_stray_report(self, stray: StrayReport) -> None:
        """A report that cannot be true of the fulfilment any more: kept, and put before a person."""
        async with self.database.transaction() as connection:
            report = unexpected_reports.UnexpectedReport(
                stray.fulfilment_id,
                stray.report,
                stray.actor,
                stray.occurred_at,
                shipment_id=stray.shipment_id,
                status=stray.status,
            )
            await unexpected_reports.note(connection, report)
