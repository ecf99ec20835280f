"""`dom bulk`: one action on many orders, by whoever can reach the servers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import orders_search
from cli.calling import environment, problems_as_one_line
from cli.refusals import known, refusals_in_words
from cli.staff_writing import audited
from dom.orders.bulk import BulkOutcome

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.orders.bulk import BulkAction
    from dom.shared.access import Principal
    from store.orders.bulk_runs import BulkRun


class BulkVerb(StrEnum):
    """What may be done to many orders."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    SOURCE_AGAIN = "source-again"


app = typer.Typer(no_args_is_help=True, help="One action on many orders: counted first, followed, stopped, resumed.")

Run = Annotated[str, typer.Argument(help="The run's id.")]
Orders = Annotated[list[str] | None, typer.Option("--order", help="These orders, by id; repeatable.")]
Typed = Annotated[str | None, typer.Option("--q", help="Orders that match what a person types.")]
View = Annotated[str | None, typer.Option("--view", help="Orders of a saved view that is shared.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the timeline of each order.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without it the orders are counted, and nothing is done.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the timeline.", envvar="USER")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="How many orders are listed.")]
Outcome = Annotated[BulkOutcome | None, typer.Option("--outcome", help="Only orders of which this became.")]


@app.command()
def start(
    what: Annotated[BulkVerb, typer.Argument(help="What is done to each order.")],
    *,
    reason: Reason,
    type_: Annotated[str | None, typer.Option("--type", help="The type of hold to put on or to release.")] = None,
    only_sku: Annotated[str | None, typer.Option("--only-sku", help="Cancel units of this SKU alone.")] = None,
    only_node: Annotated[str | None, typer.Option("--only-node", help="Source only work at this node again.")] = None,
    order: Orders = None,
    q: Typed = None,
    view: View = None,
    status: orders_search.Statuses = None,
    channel: orders_search.Channels = None,
    node: orders_search.Nodes = None,
    tag: orders_search.Tags = None,
    sku: orders_search.Sku = None,
    late: orders_search.Late = None,
    waiting: orders_search.Waiting = None,
    held: orders_search.Held = None,
    yes: Yes = False,
    by: By = "operator",
) -> None:
    """Do one thing to many orders: name them, or say what they have in common.

    Without --yes the orders are counted, and nothing is done.
    """
    given = locals()
    _ask(_action(what, given), given)


@app.command()
def show(run: Run, outcome: Outcome = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """How far a run is, and what became of its orders."""
    from store.orders import bulk_runs

    async def read(connection: AsyncConnection) -> tuple[BulkRun, list[dict[str, Any]]]:
        found = await bulk_runs.get(connection, run, _caller("operator").limits)
        items = await bulk_runs.items(connection, run, [outcome] if outcome else [], 0, limit)
        return found, [dict(each) for each in items]

    found, items = _on_database(read, as_json=as_json)
    if as_json:
        print(json.dumps({"run": _document(found), "items": items}, indent=2, default=str))
        return
    _say(found)
    for each in items:
        typer.echo(f"{each['order_id']}: {each['outcome'] or 'open'} {each['detail']}".rstrip())
        for line in known(each["data"] or {}, "  "):
            typer.echo(line)


@app.command()
def stop(run: Run, by: By = "operator") -> None:
    """Stop a run: no order is begun any more."""
    from services import bulk_runs

    _say(_on_database(_audited("stop", run, by, lambda connection: bulk_runs.stop(connection, _caller(by), run))))


@app.command()
def resume(run: Run, by: By = "operator") -> None:
    """Go on with a stopped run."""
    from services import bulk_runs

    _begin(_audited("resume", run, by, lambda connection: bulk_runs.resume(connection, _caller(by), run)))


def _action(what: BulkVerb, given: dict[str, Any]) -> BulkAction:
    from dom.orders.bulk import CancelOrders, HoldOrders, ReleaseOrders, SourceOrdersAgain

    if (given["type_"] is not None) != (what in {BulkVerb.HOLD, BulkVerb.RELEASE}):
        raise typer.BadParameter("--type belongs to hold and release, which need it")
    if what is BulkVerb.CANCEL:
        return CancelOrders(sku=given["only_sku"])
    if what is BulkVerb.SOURCE_AGAIN:
        return SourceOrdersAgain(node_id=given["only_node"])
    return (HoldOrders if what is BulkVerb.HOLD else ReleaseOrders)(type=given["type_"])


def _ask(action: BulkAction, given: dict[str, Any]) -> None:
    """Count the orders, or do it."""
    from pydantic import ValidationError

    from dom.orders.bulk import BulkSelection
    from dom.orders.search_filter import OrderFilter
    from services import bulk_runs
    from services.bulk_runs import BulkCall
    from services.clock import utc_now

    names = ("q", "status", "channel", "node", "tag", "sku", "late", "waiting", "held")
    asked = {name: tuple(given[name]) if isinstance(given[name], list) else given[name] for name in names}
    filtered = {name: value for name, value in asked.items() if value is not None}
    try:
        selection = BulkSelection(
            orders=tuple(given["order"]) if given["order"] else None,
            filter=OrderFilter.model_validate(filtered) if filtered else None,
            view=given["view"],
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        raise typer.BadParameter(f"{wrong['loc'][-1]}: {wrong['msg']}") from error
    who, request = _caller(given["by"]), BulkCall(action, selection, given["reason"])
    if given["yes"]:
        _begin(
            _audited(
                "start",
                action.kind,
                given["by"],
                lambda connection: _first(bulk_runs.ask(connection, who, request, utc_now())),
                given["reason"],
            )
        )
        return
    found = _on_database(lambda connection: bulk_runs.select(connection, who, request, utc_now()))
    for order_id in sorted(found.missing):
        typer.echo(f"{order_id}: there is no such order", err=True)
    typer.echo(f"{_orders(len(found.orders) - len(found.missing))}; say --yes to do it")


def _audited(
    command: str, about: str, by: str, write: Callable[[AsyncConnection], Awaitable[BulkRun]], reason: str = ""
) -> Callable[[AsyncConnection], Awaitable[BulkRun]]:
    """The same, with its entry in the audit log."""
    from store.access import audit

    entry = audited(f"dom bulk {command}", about, by, reason)

    async def both(connection: AsyncConnection) -> BulkRun:
        run = await write(connection)
        await audit.write(connection, entry)
        return run

    return both


async def _first(asked: Awaitable[tuple[BulkRun, bool]]) -> BulkRun:
    run, _ = await asked
    return run


def _caller(by: str) -> Principal:
    from dom.shared.access import Role, principal

    return principal(by, [Role.OPERATOR])


def _begin(write: Callable[[AsyncConnection], Awaitable[BulkRun]]) -> None:
    """Write it down and have it carried out; a worker finds it later if Temporal is away."""
    from cli.orders_commands import on_servers

    with problems_as_one_line(), refusals_in_words():
        settings, folder = environment()
        run = on_servers(settings, folder, lambda servers: servers.begin_bulk(write))
    _say(run)
    typer.echo(f"`dom bulk show {run.id}` says how far it is")


def _on_database(work: Callable[[AsyncConnection], Awaitable[Any]], *, as_json: bool = False) -> Any:
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        return in_database(*environment(), work)


def _say(run: BulkRun) -> None:
    outcomes = "".join(f", {n} {outcome}" for outcome, n in run.outcomes.items())
    typer.echo(f"{run.id} is {run.status}: {_orders(run.orders)}{outcomes}, {run.orders - run.done} open")


def _orders(count: int) -> str:
    return f"{count} order{'s' if count != 1 else ''}"


def _document(run: BulkRun) -> dict[str, Any]:
    found = asdict(run)
    return {**found, "action": run.action.model_dump(), "roles": sorted(run.roles), "open": run.orders - run.done}
