"""`dom stock ledger`: what moved, and how a balance came to what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, problems_as_one_line
from cli.stock_screens import read, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rich.table import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from store.reports.stock import LedgerScreen

MOVED = {
    "on_hand": "on hand",
    "damaged": "damaged",
    "quarantine": "quarantine",
    "reserved": "firm",
    "reserved_soft": "soft",
    "safety_stock": "safety",
    "promise_safety": "promise safety",
}


def ledger(
    sku: Annotated[str | None, typer.Option("--sku", help="Entries of this SKU.")] = None,
    node: Annotated[str | None, typer.Option("--node", help="Entries of this node.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Entries of this order.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Entries of this kind, such as ship or count.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Entries whose business key begins like this.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Entries recorded since then: 2026-03-02 or 2026-03-02T12:00Z.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many entries, the last ones.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Show the last ledger entries, oldest first; for one node and SKU with the balance before, between and after."""
    from cli.problems import StartProblem
    from store.enums import LedgerKind
    from store.reports import stock

    with problems_as_one_line():
        if kind is not None and kind not in set(LedgerKind):
            raise StartProblem(f"there is no kind {kind}", f"use one of {', '.join(LedgerKind)}")
        wanted = stock.LedgerFilter(sku, node, order, kind, key, _moment(since))

    async def look(connection: AsyncConnection) -> LedgerScreen:
        for what, name in (("SKU", sku), ("node", node)):
            if name is not None:
                await require(connection, what, name)
        return await stock.ledger(connection, wanted, limit)

    found = read(look)
    if as_json:
        print(json.dumps(as_document(found), indent=2, default=str))
        return
    screen = console()
    screen.print(ledger_table(found))
    if found.closing is not None and not agrees(found):
        said = {name: found.balance[name] for name in MOVED} if found.balance else None
        screen.print(f"the balance says otherwise ({_nonzero(said)}); see `dom stock reconcile`")


def ledger_table(found: LedgerScreen) -> Table:
    """The entries with the quantities that move in them; with balances where one place was chosen."""
    from cli.tables import numbers

    of_place = found.opening is not None
    opened, closed = found.opening or {}, found.closing or {}
    moved = [name for name in MOVED if closed.get(name) or any(entry[name] for entry in found.entries)]
    heads = [MOVED[name] for name in moved]
    words = ("entry", "recorded", "kind", *(() if of_place else ("node", "SKU")), "key", "who, why")
    title = f"the last {len(found.entries)} entries" if found.earlier else f"{len(found.entries)} entries"
    rows = list(_ledger_rows(found, moved, of_place))
    if not of_place:
        sums = ("", "", "sum", "", "", "", "", *(f"{sum(e[n] or 0 for e in found.entries):+d}" for n in moved))
        return numbers(title, words, heads, rows, [sums])
    heads += [f"{MOVED[name]} after" for name in moved]
    blanks = ("",) * len(moved)
    opening = ("", "", "opening", "", "", *blanks, *(opened[name] for name in moved))
    closing = ("", "", "closing", "", "", *blanks, *(closed[name] for name in moved))
    return numbers(title, words, heads, [opening, *rows], [closing])


def _ledger_rows(found: LedgerScreen, moved: Sequence[str], of_place: bool) -> Iterable[Sequence[object]]:
    running = {name: (found.opening or {}).get(name, 0) for name in moved}
    for entry in found.entries:
        for name in moved:
            running[name] += entry[name] or 0
        place = () if of_place else (entry["node_id"], entry["sku"])
        why = ": ".join(filter(None, (entry["actor"], entry["reason_code"], entry["reason"])))
        about = (
            entry["id"],
            f"{entry['recorded_at']:%m-%d %H:%M:%S}",
            entry["kind"],
            *place,
            entry["business_key"],
            why,
        )
        deltas = (f"{entry[name]:+d}" if entry[name] else "" for name in moved)
        yield (*about, *deltas, *(running[name] for name in moved if of_place))


def agrees(found: LedgerScreen) -> bool:
    """Whether the balance says what the ledger does."""
    closing = found.closing or {}
    if found.balance is None:
        return not any(closing.values())
    return all(found.balance[name] == closing[name] for name in MOVED)


def as_document(found: LedgerScreen) -> dict[str, Any]:
    """The screen as plain values."""
    return {
        "earlier": found.earlier,
        "opening": found.opening,
        "entries": [dict(entry) for entry in found.entries],
        "closing": found.closing,
        "balance": dict(found.balance) if found.balance else None,
    }


def _nonzero(said: Mapping[str, int] | None) -> str:
    if said is None:
        return "there is none"
    return ", ".join(f"{value} {MOVED[name]}" for name, value in said.items() if value != 0) or "nothing"


def _moment(given: str | None) -> datetime | None:
    """A time as people type it, UTC unless it says otherwise; raises StartProblem."""
    from datetime import UTC, datetime

    from cli.problems import StartProblem

    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise StartProblem(f"{given} is no time", "write 2026-03-02 or 2026-03-02T12:00Z") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
