"""`dom order receive-at-store`, `collected` and `keep`: what is said of goods at a store for their customer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.order_verbs import Fulfilment
from cli.staff_writing import By, Why, written

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.change_orders import OrderChanged, Writing


def receive_at_store(fulfilment: Fulfilment, reason: Why = "", by: By = "operator") -> None:
    """A store has received goods that a carrier brings it, which the carrier has not reported."""
    from dom.orders.commands import MoveParcel
    from dom.orders.status import FulfilmentStatus
    from services import parcel_marks
    from services.clock import utc_now

    told = {"fulfilment_id": fulfilment, "actor": by, "at": utc_now(), "reason": reason}
    command = MoveParcel(status=FulfilmentStatus.DELIVERED, at_store=True, **told)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await parcel_marks.mark(connection, command, writing)

    state = written("receive-at-store", fulfilment, by, work, reason).state
    typer.echo(f"{fulfilment} is {state.fulfilments[fulfilment].status}, {state.order_id} is {state.status()}")


def collected(
    fulfilment: Fulfilment,
    reason: Annotated[str, typer.Option("--reason", help="How the customer's identity was checked.")],
    by: By = "operator",
) -> None:
    """The customer has collected the goods without the code."""
    from dom.orders.commands import TakeNodeStep
    from dom.orders.status import FulfilmentStep
    from services import collecting
    from services.clock import utc_now

    told = {"fulfilment_id": fulfilment, "actor": by, "at": utc_now(), "reason": reason}
    command = TakeNodeStep(step=FulfilmentStep.COLLECT, identity_checked=True, **told)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await collecting.say(connection, command, writing)

    state = written("collected", fulfilment, by, work, reason).state
    typer.echo(f"{fulfilment} is {state.fulfilments[fulfilment].status}, {state.order_id} is {state.status()}")


def keep(
    fulfilment: Fulfilment,
    until: Annotated[
        datetime,
        typer.Argument(help="Until when, in UTC, such as 2027-03-16T18:00.", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"]),
    ],
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Keep goods that wait for their customer longer."""
    from dom.orders.pickup_commands import KeepForCollection
    from services import collecting
    from services.clock import utc_now

    end = until.replace(tzinfo=UTC)
    command = KeepForCollection(fulfilment_id=fulfilment, until=end, actor=by, at=utc_now(), reason=reason)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await collecting.say(connection, command, writing)

    written("keep", fulfilment, by, work, reason)
    typer.echo(f"{fulfilment} is kept until {end:%Y-%m-%d %H:%MZ}")
