"""`dom stock`: whether the books agree, and who shows what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from cli import stock_import, stock_ledger, stock_reallocate, stock_reconcile, stock_screens
from cli.calling import console, environment, problems_as_one_line

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

app = typer.Typer(no_args_is_help=True, help="Balances, the ledger behind them, and reservations.")

BOOKS = {
    "on hand": ("on_hand", "ledger_on_hand", None),
    "reserved": ("reserved", "ledger_reserved", "firm"),
    "reserved soft": ("reserved_soft", "ledger_reserved_soft", "soft"),
}
"""What is counted more than once: in the balances, in the ledger, in the active reservations."""


@app.callback()
def about() -> None:
    """Balances, the ledger behind them, and reservations."""


@app.command()
def check() -> None:
    """Compare every balance with its ledger and its active reservations; exit code 1 if any differs."""
    from cli.records import in_database
    from store import reconcile

    with problems_as_one_line():
        totals, differences = in_database(*environment(), reconcile.check)
    show(totals, differences)
    raise typer.Exit(1 if differences or disagree(totals) else 0)


app.command()(stock_reconcile.reconcile)
app.command()(stock_reallocate.reallocate)
app.command()(stock_screens.show)
app.command()(stock_screens.node)
app.command()(stock_ledger.ledger)
app.command("import")(stock_import.import_file)


def disagree(totals: dict[str, Any]) -> bool:
    """Whether a sum differs between the books: also of what no balance stands for."""
    return any(len({totals[name] for name in names if name}) > 1 for names in BOOKS.values())


def show(totals: dict[str, Any], differences: Sequence[RowMapping]) -> None:
    """The sums as one table and, if there are any, the differences as another."""
    from rich.table import Table

    sums = Table(
        title=f"{totals['balances']} balances, {totals['ledger_entries']} ledger entries", title_justify="left"
    )
    sums.add_column("units")
    for column in ("balances", "ledger", "active reservations"):
        sums.add_column(column, justify="right")
    for what, names in BOOKS.items():
        sums.add_row(what, *(f"{totals[name]}" if name else "" for name in names))
    screen = console()
    screen.print(sums)
    if differences:
        screen.print(_listed(differences))
    if differences:
        screen.print(f"{len(differences)} balances differ; `dom stock reconcile` says where and mends it")
    elif disagree(totals):
        screen.print("the sums differ: entries stand for a node and SKU that has no balance; see `dom stock reconcile`")
    else:
        screen.print("balances, ledger and reservations agree")


def _listed(differences: Sequence[RowMapping]) -> Any:
    from rich import box
    from rich.table import Table

    books = (name for names in BOOKS.values() for name in names if name)
    columns = ("node_id", "sku", *books)
    table = Table(title="differences", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), justify="left" if name in columns[:2] else "right")
    for row in differences:
        table.add_row(*(str(row[name]) for name in columns))
    return table
