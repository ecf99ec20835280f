"""`dom order hold`, `release` and `cancel`: what stops an order on its way, or some of it."""

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


def cancel(
    order_id: OrderId,
    lines: Annotated[
        list[str] | None, typer.Argument(help="Lines, or units of them: 1, or 1=2. All of the order, if absent.")
    ] = None,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Cancel what has not left its node, on the database and the Temporal server: all that is asked, or nothing."""
    from pydantic import ValidationError

    from cli.calling import environment, problems_as_one_line
    from cli.credentials import refusals_as_one_line
    from cli.orders_commands import on_servers
    from dom.orders.calls import CancelCall, CancelLine
    from dom.shared.access import is_name

    if not is_name(by):
        raise typer.BadParameter("--by is no name of a caller")
    try:
        parts = [each.partition("=") for each in lines or ()]
        asked = [CancelLine(line_id=line, quantity=int(units) if units else None) for line, _, units in parts]
        call = CancelCall(lines=tuple(asked) or None, reason=reason, actor=by)
    except (ValidationError, ValueError) as error:
        raise typer.BadParameter("say lines, or units of them, such as 1=2") from error
    with problems_as_one_line(), refusals_as_one_line():
        done = on_servers(*environment(), lambda servers: servers.cancel(order_id, call))
    written("cancel", order_id, by, _nothing, reason)
    units = ", ".join(f"{count} of line {line_id}" for line_id, count in done.cancelled.items())
    typer.echo(f"cancelled {units}; {order_id} is {done.status}")


async def _nothing(connection: AsyncConnection, writing: Writing) -> None:
    """What is left to do is the entry in the audit log."""
