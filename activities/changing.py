"""Changing an order: what its process asks, or is told, is decided and written by the use cases, and read anew."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from temporalio import activity

from activities.boundary import Database
from dom.orders.commands import Command, PlaceHold, ReleaseHold, TakeNodeStep
from dom.orders.status import CarrierEventKind
from dom.orders.views import OrderView
from dom.shared.base import Value
from services import carrier_reports, holds, node_steps, order_views
from services.carrier_reports import ParcelReport
from services.change_orders import Writing, change_order
from store import backorders
from store.sourcing import reoptimisation


class ChangeOrder(Value):
    """Carry a command to an order out. It has a request of its own, so that it is carried out once."""

    order_id: str
    command: Command


class OrderAfter(Value):
    """The order after a command, units by line that it cancelled or took back, and the hash of the request it answers,
    which is another one's if the request's id was used before.
    """

    view: OrderView
    units: dict[str, int] = Field(default={})
    request_hash: str | None = None


class HeardOfParcel(Value):
    """A carrier reported of a parcel."""

    verb: Literal["heard_of_parcel"] = "heard_of_parcel"
    fulfilment_id: str
    kind: CarrierEventKind
    actor: str
    at: datetime
    shipment_id: str | None = None
    event_id: str | None = None


class HeedReport(Value):
    """Somebody reported what happened, and cannot be answered."""

    order_id: str
    report: Annotated[TakeNodeStep | HeardOfParcel, Field(discriminator="verb")]


class Heeded(Value):
    """The order after a report; one that cannot be true is put before a person (`unexpected`)."""

    view: OrderView
    unexpected: bool


class ReadOrder(Value):
    """Read how an order stands."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Changing:
    """Orders, changed and read."""

    database: Database

    @activity.defn(name="change_order")
    async def change_order(self, request: ChangeOrder) -> OrderAfter:
        """Carry the command out. Raises what stands in its way, as the commands say; then nothing is written."""
        async with self.database.transaction() as connection:
            command = request.command
            if isinstance(command, PlaceHold | ReleaseHold):
                changed = await holds.carry_out(connection, request.order_id, command, self._writing)
            else:
                changed = await change_order(connection, request.order_id, command, self._writing)
            return OrderAfter(
                view=await order_views.get(connection, request.order_id),
                units=_units(changed.data),
                request_hash=changed.data.get("request_hash"),
            )

    @activity.defn(name="heed_report")
    async def heed_report(self, request: HeedReport) -> Heeded:
        """Carry out what a report means, or put it before a person; once. Raises NotFound for one of no fulfilment."""
        report = request.report
        async with self.database.transaction() as connection:
            if isinstance(report, TakeNodeStep):
                heeded = await node_steps.heed(connection, request.order_id, report, self._writing)
            else:
                said = ParcelReport(**report.model_dump(exclude={"verb"}))
                heeded = await carrier_reports.heed(connection, request.order_id, said, self._writing)
            return Heeded(view=await order_views.get(connection, request.order_id), unexpected=not heeded)

    @activity.defn(name="read_order")
    async def read_order(self, request: ReadOrder) -> OrderView | None:
        """The order as it stands; None if the store does not hold it. What second looks changed counts as applied."""
        async with self.database.transaction() as connection:
            await backorders.lock_order(connection, request.order_id)
            await reoptimisation.mark_applied(connection, request.order_id)
            return await order_views.read(connection, request.order_id)

    @property
    def _writing(self) -> Writing:
        return Writing(webhook=self.database.webhooks)


def _units(data: Mapping[str, Any]) -> dict[str, int]:
    """What a cancellation took, or a parcel that arrived after all left of its replacement."""
    if "taken_back" not in data:
        return dict(data.get("lines", {}))
    units = Counter[str](data["waited"])
    for lines in data["taken_back"].values():
        units.update(lines)
    return dict(units)
