"""`dom order cancel`: an order is cancelled, whole or in part, and every unit that was asked for is accounted for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.refusals import refusals_in_words
from cli.staff_writing import audited
from dom.orders.cancellation import CancelMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from dom.orders.calls import CancelLine, CancelResult

OrderId = Annotated[str, typer.Argument(help="The order's id, such as web-536365.")]
Lines = Annotated[
    list[str] | None, typer.Argument(help="Lines, or units of them: 1, or 1=2. All of the order, if absent.")
]
Mode = Annotated[CancelMode, typer.Option("--mode", help="What is to happen where not all of it can be cancelled.")]
Why = Annotated[str, typer.Option("--reason", help="Why; stands in the timeline.")]
By = Annotated[str, typer.Option("--by", help="Who cancels; stands in the timeline.", envvar="USER")]
Key = Annotated[str | None, typer.Option("--key", help="The request's own id: said again, it is answered again.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


def cancel(
    order_id: OrderId,
    lines: Lines = None,
    *,
    mode: Mode = CancelMode.ALL,
    reason: Why = "",
    by: By = "operator",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Cancel an order, lines or some units that have not left their node.

    `all` cancels everything asked or nothing, `possible` what can be cancelled; `ask` the same, but nodes are asked for
    what they have picked.
    """
    from cli.orders_commands import on_servers
    from dom.orders.calls import CancelCall

    entry = audited("dom order cancel", order_id, by, reason)
    call = CancelCall(lines=_lines(lines), mode=mode, reason=reason, actor=by)
    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        settings, folder = environment()
        result = on_servers(settings, folder, lambda servers: servers.cancel(order_id, call, key, entry))
    if as_json:
        print(json.dumps(result.model_dump(mode="json"), indent=2))
        return
    screen = console()
    screen.print(f"{result.order_id}: {result.status}")
    screen.print(table(result))


def table(result: CancelResult) -> Table:
    """What became of each unit that was asked for."""
    from rich.table import Table

    shown = Table("line", "asked", "cancelled", "left", "why", "where", "request", "answer by")
    for line in result.lines:
        rows = line.left or (None,)
        for left in rows:
            first = left is rows[0]
            shown.add_row(
                line.line_id if first else "",
                str(line.asked) if first else "",
                str(line.cancelled) if first else "",
                str(left.quantity) if left else "",
                str(left.reason) if left else "",
                (left.fulfilment_id or "") if left else "",
                (left.request_id or "") if left else "",
                f"{left.answer_by:%Y-%m-%d %H:%MZ}" if left and left.answer_by else "",
            )
    return shown


def _lines(asked: Sequence[str] | None) -> tuple[CancelLine, ...] | None:
    from pydantic import ValidationError

    from dom.orders.calls import CancelLine

    lines = []
    for each in asked or ():
        line_id, equals, units = each.rpartition("=")
        try:
            lines.append(CancelLine(line_id=line_id, quantity=int(units)) if equals else CancelLine(line_id=each))
        except (ValueError, ValidationError) as error:
            raise typer.BadParameter(f"{each} is neither a line nor LINE=UNITS") from error
    return tuple(lines) or None
