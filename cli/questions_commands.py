"""`dom questions`: what customers are asked because what was promised comes later, by who can reach the database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.credentials import day
from cli.refusals import refusals_in_words
from dom.orders.questions import QuestionStatus, as_seen

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(no_args_is_help=True, help="Questions to customers: what was promised comes later, and they choose.")

Statuses = Annotated[
    list[QuestionStatus] | None, typer.Option("--status", help="Any of these; repeatable (open).", show_default=False)
]
Order = Annotated[str | None, typer.Option("--order", help="Only this order's.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
_KEPT_BACK = frozenset({"link_id"})
"""The customer's link is for the customer."""


@app.command("list")
def list_questions(
    *,
    status: Statuses = None,
    order: Order = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Questions to customers, the oldest first; those that are open, unless --status says otherwise."""
    from cli.tables import numbers
    from store.orders import customer_questions as rows

    wanted = rows.QuestionFilter(order=order, statuses=status or [QuestionStatus.OPEN])
    found = _read(lambda connection: rows.find(connection, wanted, after=None, limit=limit), as_json=as_json)
    if as_json:
        print(json.dumps(list(map(_document, found)), default=str, indent=2))
        return
    columns = ("question", "status", "late units", "promised", "expected", "choices", "answer by", "answer")
    listed = (
        (
            row["question_id"], row["status"], _units(row), day(row["promised"]), day(row["expected"]) or "unknown",
            ", ".join(row["choices"]), day(row["answer_by"]), row["answer"],
        )
        for row in found
    )  # fmt: skip
    more = "; there may be more" if len(found) == limit else ""
    console().print(numbers(f"{len(found)} questions{more}", columns, (), listed))


@app.command()
def show(
    question: Annotated[str, typer.Argument(help="The question's id, such as web-536365-Q1.")], as_json: AsJson = False
) -> None:
    """A question with everything about it: what is late, what may be chosen, and what came of it."""
    found = _document(_read(lambda connection: _one(connection, question), as_json=as_json))
    if as_json:
        print(json.dumps(found, default=str, indent=2))
        return
    screen = console()
    said = found | {"units": _units(found), "choices": ", ".join(found["choices"]), "swap": _swap(found)}
    for name, value in said.items():
        if value not in (None, ""):
            screen.print(f"{name.replace('_', ' ')}: {value}", markup=False)


async def _one(connection: AsyncConnection, question_id: str) -> Mapping[str, Any]:
    from services import customer_questions

    return dict(await customer_questions.get(connection, question_id))


def _read(work: Callable[[AsyncConnection], Awaitable[Any]], *, as_json: bool) -> Any:
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        return in_database(*environment(), work)


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _KEPT_BACK} | {"seen": as_seen(row)}


def _units(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{units} of line {line_id}" for line_id, units in sorted(row["units"].items()))


def _swap(row: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{each['units']} of line {each['line_id']} as {each['quantity']} {each['sku']} at {each['unit_price']} each"
        for each in row["swap"]
    )
