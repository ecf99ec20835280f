"""`dom order hold` and `release`: what stops an order on its way, or some of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.order_command import OrderId
from cli.staff_writing import By, Why, written

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.change_orders import OrderChanged, Writing


def hold(
    order_id: OrderId,
    kind: Annotated[str, typer.Argument(help="The type of the hold, such as manual.")],
    hours: Annotated[
        float | None,
        typer.Option("--hours", min=0.01, help="After which it ends by itself; as the type says, if absent."),
    ] = None,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Put a hold on an order."""
    from dom.orders.commands import PlaceHold
    from services import holds
    from services.clock import utc_now

    now = utc_now()
    until = None if hours is None else now + timedelta(hours=hours)
    command = PlaceHold(type=kind, actor=by, at=now, reason=reason, release_at=until)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await holds.place(connection, order_id, command, writing)

    done = written("hold", order_id, by, work, reason)
    typer.echo(f"{done.data['hold_id']} blocks {', '.join(done.data['blocks'])}")


def release(
    hold_id: Annotated[str, typer.Argument(help="The hold's id, such as web-536365-H1.")],
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Release a hold of an order."""
    from dom.orders.commands import ReleaseHold
    from services import holds
    from services.clock import utc_now

    command = ReleaseHold(hold_id=hold_id, actor=by, at=utc_now(), reason=reason)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await holds.release(connection, hold_id.rpartition("-")[0], command, writing)

    written("release", hold_id, by, work, reason)
    typer.echo(f"{hold_id} is released")
