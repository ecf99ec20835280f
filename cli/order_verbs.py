"""`dom order note` and its neighbours: what staff does to an order, by whoever can reach the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.order_command import OrderId
from cli.staff_writing import By, Why, sourced, written

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from dom.sourcing.sourced import Sourced
    from services.change_orders import OrderChanged, Writing
    from services.database import Database

Choice = Literal["wait", "partial", "swap", "cancel"]
Fulfilment = Annotated[str, typer.Argument(help="The fulfilment's id, such as web-536365-F1.")]


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


def prioritise(
    order_id: OrderId,
    priority: Annotated[
        int | None, typer.Argument(help="Its place, lower first; its channel's, if absent.", min=0, max=1000)
    ] = None,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Give an order another priority for scarce stock; what it waits for is dealt out by it at once."""
    from uuid import uuid4

    from dom.orders.commands import Prioritise
    from services import prioritising
    from services.clock import utc_now

    command = Prioritise(key=uuid4().hex, priority=priority, actor=by, at=utc_now(), reason=reason)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await prioritising.prioritise(connection, order_id, command, writing)

    done = written("prioritise", order_id, by, work, reason)
    waiting = sum(done.state.waiting.values())
    place = "that of its channel" if priority is None else f"{priority}"
    typer.echo(f"the priority of {order_id} is {place}; {waiting} of its units wait")


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


def lost(fulfilment: Fulfilment, reason: Why = "", by: By = "operator") -> None:
    """A parcel is lost: its units are sourced again."""
    _mark("lost", "lost", fulfilment, reason, by)


def delivered(fulfilment: Fulfilment, reason: Why = "", by: By = "operator") -> None:
    """A parcel has reached the customer, also one that was lost."""
    _mark("delivered", "delivered", fulfilment, reason, by)


def _mark(verb: str, status: Literal["lost", "delivered"], fulfilment_id: str, reason: str, by: str) -> None:
    from dom.orders.commands import MoveParcel
    from dom.orders.status import FulfilmentStatus
    from services import parcel_marks
    from services.clock import utc_now

    said: Any = FulfilmentStatus(status)
    command = MoveParcel(fulfilment_id=fulfilment_id, status=said, actor=by, at=utc_now(), reason=reason)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await parcel_marks.mark(connection, command, writing)

    done = written(verb, fulfilment_id, by, work, reason)
    _say(done, fulfilment_id)


def move(
    fulfilment: Fulfilment,
    to: Annotated[str | None, typer.Option("--to", help="The node that is to do it; any other one, if absent.")] = None,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Move work that no node has begun to another node, with its stock."""
    from dom.orders.commands import MoveWork
    from services import moving
    from services.change_orders import Writing
    from services.clock import utc_now

    command = MoveWork(fulfilment_id=fulfilment, node_id=to, actor=by, at=utc_now(), reason=reason)

    async def work(database: Database, connection: AsyncConnection) -> OrderChanged:
        return await moving.move_in(database, connection, command, Writing(webhook=database.webhooks, notify=True))

    done = sourced("move", fulfilment, by, work, reason)
    went = ", ".join(f"{new} at {node}" for new, node in done.data["fulfilments"].items())
    typer.echo(f"{fulfilment} is {done.state.fulfilments[fulfilment].status}; its units are now {went}")


def source_again(
    fulfilment: Fulfilment,
    *,
    without_node: Annotated[bool, typer.Option("--without-node", help="The node it is at is not asked.")] = False,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Take work that no node has begun from its node, and source its units anew."""
    from dom.orders.commands import SourceWorkAgain
    from services import sourcing_work_again
    from services.change_orders import Writing
    from services.clock import utc_now

    told = {"fulfilment_id": fulfilment, "without_node": without_node}
    command = SourceWorkAgain(**told, actor=by, at=utc_now(), reason=reason)

    async def work(database: Database, connection: AsyncConnection) -> tuple[OrderChanged, Sourced]:
        writing = Writing(webhook=database.webhooks, notify=True)
        done = await sourcing_work_again.source_work_again_in(database, connection, command, writing)
        return done, await sourcing_work_again.became(connection, done)

    done, made = sourced("source-again", fulfilment, by, work, reason)
    _say(done, fulfilment)
    for fulfilment_id, node_id in made.fulfilments.items():
        typer.echo(f"its units are now {fulfilment_id} at {node_id}")


def split(
    fulfilment: Fulfilment,
    units: Annotated[list[str], typer.Argument(help="Units by line, such as 1=2: two of line 1.")],
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Make units of work that no node has begun a fulfilment of their own at the same node."""
    from pydantic import ValidationError

    from dom.orders.commands import SplitWork
    from services import splitting
    from services.clock import utc_now

    try:
        lines = dict(map(_units_of_line, units))
        command = SplitWork(fulfilment_id=fulfilment, lines=lines, actor=by, at=utc_now(), reason=reason)
    except (ValidationError, ValueError) as error:
        raise typer.BadParameter("say units by line, such as 1=2") from error

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await splitting.split(connection, command, writing)

    done = written("split", fulfilment, by, work, reason)
    typer.echo(f"{sum(lines.values())} units of {fulfilment} are now {done.data['made']}")


def _units_of_line(said: str) -> tuple[str, int]:
    line_id, _, count = said.rpartition("=")
    if not line_id:
        raise ValueError(said)
    return line_id, int(count)


def merge(
    fulfilment: Fulfilment,
    merged: Annotated[str, typer.Argument(help="The other one, such as web-536365-F2.")],
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Make two fulfilments of a node, of which it has begun neither, one."""
    from dom.orders.commands import MergeWork
    from services import merging
    from services.clock import utc_now

    command = MergeWork(fulfilment_id=fulfilment, merged=merged, actor=by, at=utc_now(), reason=reason)

    async def work(connection: AsyncConnection, writing: Writing) -> OrderChanged:
        return await merging.merge(connection, command, writing)

    done = written("merge", fulfilment, by, work, reason)
    typer.echo(f"{fulfilment} and {merged} are now {done.data['made']}")


def reship(fulfilment: Fulfilment, reason: Why = "", by: By = "operator") -> None:
    """Send the units of a parcel that came back once more, on the database and the Temporal server."""
    from cli.calling import environment, problems_as_one_line
    from cli.orders_commands import on_servers
    from cli.refusals import refusals_in_words
    from dom.orders.commands import Reship
    from dom.shared.access import is_name
    from services.clock import utc_now

    if not is_name(by):
        raise typer.BadParameter("--by is no name of a caller")
    command = Reship(fulfilment_id=fulfilment, actor=by, at=utc_now(), reason=reason)
    with problems_as_one_line(), refusals_in_words():
        settings, folder = environment()
        webhooks = bool(settings.webhook_url)
        done = on_servers(settings, folder, lambda servers: servers.reship(command, webhooks=webhooks))
    written("reship", fulfilment, by, _nothing, reason)
    _say(done, fulfilment)


def answer(
    question: Annotated[str, typer.Argument(help="The question's id, such as web-536365-Q1.")],
    choice: Annotated[Choice, typer.Argument(help="What the customer chose.")],
    *,
    seen: Annotated[
        str | None, typer.Option("--seen", help="What was shown, as `dom questions show` names it.")
    ] = None,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Answer in the name of a customer who was asked because what was promised comes later."""
    from cli.calling import environment, problems_as_one_line
    from cli.records import on_database
    from cli.refusals import refusals_in_words
    from dom.orders.questions import CustomerChoice
    from dom.shared.access import is_name
    from services import question_answers
    from services.clock import utc_now
    from services.database import Database
    from services.question_answers import Answer

    if not is_name(by):
        raise typer.BadParameter("--by is no name of a caller")
    said = Answer(CustomerChoice(choice), by, utc_now(), reason, seen)
    with problems_as_one_line(), refusals_in_words():
        settings, folder = environment()
        webhooks = bool(settings.webhook_url)

        async def work(engine: AsyncEngine) -> None:
            await question_answers.answer(Database(engine, webhooks=webhooks), question, said)

        on_database(settings, folder, work)
    written("answer", question, by, _nothing, reason)
    typer.echo(f"{question} is answered: {choice}")


async def _nothing(connection: AsyncConnection, writing: Writing) -> None:
    """What is left to do is the entry in the audit log."""


def _say(done: OrderChanged, fulfilment_id: str) -> None:
    state = done.state
    waiting = "".join(f", {units} of line {line_id} wait" for line_id, units in state.waiting.items())
    work = state.fulfilments[fulfilment_id].status
    typer.echo(f"{fulfilment_id} is {work}, {state.order_id} is {state.status()}{waiting}")
