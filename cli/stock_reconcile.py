"""`dom stock reconcile`: every difference between the books, and a repair when it is told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import NOT_COMPARED, console, environment, problems_as_one_line
from cli.orders_commands import compared_with_temporal, show_processes
from cli.orders_commands import document as processes_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.reconcile import Findings, Repaired, StockDifference

LEDGER, BALANCE = "ledger", "balance"

Repair = Annotated[bool, typer.Option("--repair", help="Mend what can be mended, by ledger entries of kind reconcile.")]
TrustIn = Annotated[
    str,
    typer.Option(
        "--trust",
        help="Which side is right where a balance's own quantities differ from the ledger: ledger or balance.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=0, help="How many differences are listed; all are counted.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
By = Annotated[str, typer.Option("--by", help="Who repairs; kept with every ledger entry.", envvar="USER")]


def reconcile(
    repair: Repair = False,
    trust: TrustIn = LEDGER,
    limit: Limit = 200,
    as_json: AsJson = False,
    by: By = "operator",
) -> None:
    """Recompute balances and reservations from the ledger and the orders; exit code 1 if differences remain.

    Open orders are compared with their processes too; `dom orders revive` mends those. Exit code 2 if no difference was
    found, but something could not be compared, such as while Temporal does not answer.
    Without --repair nothing is changed. It reads one moment, and repairs place by place, while the system goes on.
    """
    if trust not in {LEDGER, BALANCE}:
        raise typer.BadParameter("ledger or balance", param_hint="--trust")
    from cli.records import on_database

    with problems_as_one_line(NOT_COMPARED):
        settings, folder = environment()
        found, repaired = on_database(settings, folder, lambda pool: _work(pool, repair, trust, limit, by))
        compared = compared_with_temporal(settings, folder)
    left = repaired.left if repaired else found
    if as_json:
        shown = compared.found and processes_document(compared.found, limit)
        why_not = compared.why_not or None
        print(json.dumps(document(found, repaired) | {"processes": shown, "not_compared": why_not}, indent=2))
    else:
        show(found, repaired)
        show_processes(compared, limit)
    raise typer.Exit(1 if left.total else compared.exit_code)


async def _work(pool: AsyncEngine, repair: bool, trust: str, limit: int, by: str) -> tuple[Findings, Repaired | None]:
    from datetime import UTC, datetime

    from store import reconcile as books

    if not repair:
        return await books.find(pool, trust=books.Trust(trust), limit=limit), None
    done = await books.repair(pool, actor=by, now=datetime.now(UTC), trust=books.Trust(trust), limit=limit)
    return done.found, done


def document(found: Findings, repaired: Repaired | None) -> dict[str, Any]:
    """Findings and repair as plain values; `remaining` are those that are there now."""
    left = repaired.left if repaired else found
    repair = repaired and {
        "run_id": repaired.run_id,
        "found": found.total,
        "mended": repaired.mended,
        "problems": [{"place": str(place), "why": why} for place, why in repaired.problems.items()],
    }
    return {
        "balances": left.balances,
        "ledger_entries": left.entries,
        "lapsed_soft_reservations": left.lapsed,
        "remaining": left.total,
        "counts": {str(fault): count for fault, count in sorted(left.counts.items())},
        "differences": [_plain(each) for each in left.listed],
        "repair": repair,
    }


def _plain(difference: StockDifference) -> dict[str, str]:
    return {
        "fault": str(difference.fault),
        "place": str(difference.subject),
        "about": difference.about,
        "detail": difference.detail,
        "mend": difference.mend,
    }


def show(found: Findings, repaired: Repaired | None) -> None:
    """What was compared, what differs and, after a repair, what was done and what is left."""
    screen = console()
    screen.print(
        f"{found.balances} balances, {found.entries} ledger entries; {found.lapsed} soft reservations have lapsed and "
        "are reclaimed by whoever needs their units"
    )
    _print_differences("differences", found)
    if repaired is None:
        screen.print(f"{found.total} differences; --repair mends them" if found.total else "the books agree")
        return
    if not found.total:
        screen.print("the books agree; nothing to repair")
        return
    screen.print(f"repaired as {repaired.run_id}: {found.total} differences found, {repaired.mended} places mended")
    if repaired.problems:
        why = ((str(place), reason) for place, reason in list(repaired.problems.items())[: max(len(found.listed), 1)])
        screen.print(_words("could not be mended; stands in the exception queue", ("place", "why"), why))
    _print_differences("what is left", repaired.left)
    screen.print(f"{repaired.left.total} differences remain" if repaired.left.total else "the books agree now")


def _print_differences(title: str, findings: Findings) -> None:
    if not findings.total:
        return
    columns = ("fault", "place", "about", "what the books say", "repair")
    rows = ((e.fault, str(e.subject), e.about, e.detail, e.mend) for e in findings.listed)
    screen = console()
    if findings.listed:
        screen.print(_words(title, columns, rows))
    if findings.total > len(findings.listed):
        counts = ", ".join(f"{fault} {count}" for fault, count in findings.counts.most_common())
        screen.print(f"{findings.total - len(findings.listed)} more are not listed; all by name: {counts}")


def _words(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Any:
    from cli.tables import numbers

    return numbers(title, tuple(columns), (), rows)
