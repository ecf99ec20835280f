"""`dom ofl rehearse`: recorded orders decided again, under the live policy or another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment
from cli.ofl.reading import DRAFT, reading_of, refusals

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from dom.sourcing.policy.document import Policy
    from dom.sourcing.rehearsal.report import Report
    from dom.sourcing.rehearsal.span import Span

CHANGES_SHOWN = 10
FILES = {".yaml", ".yml", ".json"}

Which = Annotated[
    str | None,
    typer.Option(
        "--policy", help="A file, a draft's name, a version or `live`; without it each decision's own version."
    ),
]
Orders = Annotated[
    str, typer.Option("--orders", help="all, last-30-days, last-500-orders or FROM..TO, by when they were decided.")
]
Page = Annotated[Path | None, typer.Option("--report", help="Write the report as an HTML page.")]
Data = Annotated[Path | None, typer.Option("--json", help="Write the report as JSON.")]
Check = Annotated[bool, typer.Option("--check", help="Exit code 1 if any plan changes; always so without --policy.")]


def rehearse(
    policy: Which = None, *, orders: Orders = "last-30-days", page: Page = None, data: Data = None, check: Check = False
) -> None:
    """Decide recorded orders again, in their sequence, on the stock as it stood; nothing is changed.

    Without --policy it shows that the published policy still decides what it decided: exit code 1 if it does not.
    """
    from cli.records import on_database
    from dom.sourcing.rehearsal.span import read_span

    with refusals(Path(policy or "policy")):
        span = read_span(orders)
        of_file = read_file(policy)
        found = on_database(*environment(), lambda engine: _rehearsed(engine, policy, of_file, span))
        _write(found, page, data)
    _show(found, page, data)
    raise typer.Exit(1 if found.differs and (check or policy is None) else 0)


async def _rehearsed(engine: AsyncEngine, which: str | None, of_file: Policy | None, span: Span) -> Report:
    from rich.progress import MofNCompleteColumn, Progress

    from services.rehearsing import Run

    draft, called = of_file, f"{of_file.name} ({Path(which or '').name})" if of_file else ""
    if which and draft is None:
        async with engine.connect() as connection:
            draft, called = await chosen(connection, which)
    run = Run(engine, draft, called, span)
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console(), transient=True) as progress:
        task = progress.add_task("rehearsing", total=None)
        async for done in run.steps():
            progress.update(task, completed=done, total=run.total)
    return await run.report()


def read_file(which: str | None) -> Policy | None:
    """The policy, if a file is meant. Raises PolicyInvalid for one that holds none; warnings pass."""
    from dom.sourcing.policy.checking import linted

    if which is None or not (Path(which).suffix in FILES or Path(which).is_file()):
        return None
    return linted(reading_of(Path(which))).publishable()


async def chosen(connection: AsyncConnection, which: str) -> tuple[Policy, str]:
    """The policy that is meant, and what to call it: `live`, a version, or a draft by its name. Raises NotFound."""
    from store.policy import drafts, policies

    if which == "live" or which.isdecimal():
        published = await policies.get(connection, None if which == "live" else int(which))
        return published.policy, f"version {published.version} ({published.policy.name})"
    draft = await drafts.get(connection, which.removeprefix(DRAFT))
    return draft.policy, f"draft {draft.name}, revision {draft.revision}"


def _write(found: Report, page: Path | None, data: Path | None) -> None:
    if page is not None:
        from api.rehearsal import page as rehearsal

        page.write_text(rehearsal.page(found), encoding="utf-8")
    if data is not None:
        data.write_text(found.model_dump_json(indent=1), encoding="utf-8")


def _show(found: Report, page: Path | None, data: Path | None) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from api.rehearsal.page import WITHOUT_A_PRICE, rows

    screen, made = console(), found.made
    again = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in made.verdicts.items())
    screen.print(
        f"{made.orders} orders, {made.decisions} decisions of {escape(made.baseline)}; made again: {again or 0}"
    )
    for each in found.not_the_same[:CHANGES_SHOWN]:
        said = escape("; ".join(each.differences) or found.why(each.verdict))
        screen.print(f"  {each.order_id} decision {each.attempt}: {each.verdict.replace('_', ' ')}: {said}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("figure", "baseline", "draft", "change"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for row in rows(found):
        table.add_row(row.label, row.baseline, row.draft, row.change)
    screen.print(table)
    if left_out := found.baseline.total.orders_not_priced:
        said = f"{left_out} of {made.orders} orders are left out of every amount, on both sides"
        screen.print(f"[bold]{said}[/bold]: a shipment of theirs has no price at the baseline's ({WITHOUT_A_PRICE})")
    if more := found.draft.total.units - found.baseline.total.units:
        screen.print(f"The draft sends {abs(more)} units {'more' if more > 0 else 'fewer'}: compare the money per unit")
    screen.print(f"{found.orders_changed} orders get another plan under {escape(made.draft)}")
    for order in found.changed[:CHANGES_SHOWN]:
        was, now = " + ".join(order.baseline.nodes) or "nothing", " + ".join(order.draft.nodes) or "nothing"
        screen.print(
            f"  {order.order_id}: {was} -> {now} ({_worth(order.saves, order.leaves, found.baseline.currency)})"
        )
    for written in filter(None, (page, data)):
        screen.print(f"written: {written}")


def _worth(saves: int | None, leaves: int, currency: str) -> str:
    from api.rehearsal.page import amount

    said = "the baseline cannot price it"
    if saves is not None:
        said = f"{'saves' if saves >= 0 else 'costs'} {amount(abs(saves), currency)}"
    return said if not leaves else f"{said}, {abs(leaves)} units {'more' if leaves > 0 else 'fewer'} wait"
