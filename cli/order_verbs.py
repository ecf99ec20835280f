"""`dom order note` and its neighbours: what staff does to an order, by whoever can reach the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.order_command import OrderId
from cli.staff_writing import By, Why, written

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.change_orders import Writing


def note(
    order_id: OrderId,
    text: Annotated[str, typer.Argument(help="What is to be written.")],
    link: Annotated[list[str] | None, typer.Option("--link", help="An address that belongs to it; repeatable.")] = None,
    by: By = "operator",
) -> None:
    """Write a note about an order."""
    from uuid import uuid4

    from pydantic import ValidationError

    from dom.orders.commands import AddNote
    from dom.orders.notes import Attachment
    from services.change_orders import change_order
    from services.clock import utc_now

    try:
        links = tuple(Attachment(url=url) for url in link or ())
        command = AddNote(key=uuid4().hex, text=text, links=links, actor=by, at=utc_now())
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"])) from error

    async def work(connection: AsyncConnection, writing: Writing) -> None:
        await change_order(connection, order_id, command, writing)

    written("note", order_id, by, work)
    typer.echo(f"the note stands in the timeline of {order_id}")


def resend(
    message: Annotated[int, typer.Argument(help="The message's number, as `dom order` shows it.", min=1)],
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Send a message of an order once more; it goes to who is to be told now."""
    from dom.orders.commands import ResendMessage
    from services import resending
    from services.clock import utc_now

    async def work(connection: AsyncConnection, writing: Writing) -> str:
        order_id = await resending.order_of(connection, message)
        command = ResendMessage(message_id=message, actor=by, at=utc_now(), reason=reason)
        await resending.resend(connection, order_id, command, writing)
        return order_id

    order_id = written("resend", f"{message}", by, work, reason)
    typer.echo(f"message {message} of {order_id} goes out once more")
