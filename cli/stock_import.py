"""`dom stock import`: a file of counts or changes, read and applied in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment, problems_as_one_line

if TYPE_CHECKING:
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.imports import Header, Import

PART = 1 << 20
SHOWN = 1000
"""Bad rows that are printed; the API gives all of them."""


class ImportFileKind(StrEnum):
    """What the rows are."""

    COUNTS = "counts"
    DELTAS = "deltas"


File = Annotated[Path, typer.Argument(help="CSV with a header line, or (named .jsonl) JSON Lines.", exists=True)]
Whole = Annotated[bool, typer.Option("--all-or-nothing", help="One bad row, and nothing is applied.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", help="UTC; of rows that do not say it. Now, if absent.")]
Sequence = Annotated[
    int | None, typer.Option("--sequence", min=0, help="Orders a source's counts; without it they go by their time.")
]
Key = Annotated[str | None, typer.Option("--key", help="The same key again is the same import.")]


def import_file(
    file: File,
    kind: Annotated[ImportFileKind, typer.Option("--kind", help="Absolute counts, or changes.")],
    *,
    source: Annotated[str, typer.Option("--source", help="Who counts; each source numbers its own.")] = "operator",
    all_or_nothing: Whole = False,
    as_of: AsOf = None,
    sequence: Sequence = None,
    key: Key = None,
    by: Annotated[str, typer.Option("--by", help="Kept in the ledger.", envvar="USER")] = "operator",
) -> None:
    """Take in a file of counts or changes of stock; exit code 1 if rows were refused, which are printed with why."""
    from cli.records import on_database
    from store.enums import ImportKind
    from store.imports import Format, Header

    now = datetime.now(UTC)
    at = now if as_of is None else min(as_of.replace(tzinfo=UTC), now)
    header = Header(
        kind=ImportKind(kind),
        format=Format.JSONL if file.suffix in {".jsonl", ".ndjson"} else Format.CSV,
        all_or_nothing=all_or_nothing,
        source=source,
        as_of=at,
        sequence=sequence,
        actor=by,
        key=key,
    )

    async def work(engine: AsyncEngine) -> tuple[Import, list[RowMapping]]:
        return await _taken_in(engine, header, file)

    with problems_as_one_line():
        found, wrong = on_database(*environment(), work)
    _show(found, wrong)
    raise typer.Exit(1 if found.outcomes.get("refused") or found.status != "done" else 0)


async def _taken_in(engine: AsyncEngine, header: Header, file: Path) -> tuple[Import, list[RowMapping]]:
    from rich.progress import MofNCompleteColumn, Progress

    from cli.problems import StartProblem
    from dom.shared.errors import DomError
    from store import imports

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console(), transient=True) as progress:
        reading = progress.add_task("reading", total=None)
        try:
            found, _ = await imports.receive(
                engine, header, _parts(file), lambda rows: progress.update(reading, completed=rows)
            )
        except DomError as error:
            raise StartProblem(f"{file} is not taken in ({error.detail})", "correct it; nothing was applied") from error
        applying = progress.add_task("applying", total=found.rows)
        found = await imports.apply_all(engine, found.id, lambda done: progress.update(applying, completed=done.done))
    wrong: list[RowMapping] = []
    async for row in imports.problems(engine, found.id):
        wrong.append(row)
        if len(wrong) == SHOWN:
            break
    return found, wrong


async def _parts(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as content:
        while part := content.read(PART):
            yield part


def _show(found: Import, wrong: list[RowMapping]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    if wrong:
        table = Table("row", "node", "SKU", "quantity", "outcome", "field", "why", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in wrong:
            names = ("row", "node_id", "sku", "quantity", "outcome", "field", "detail")
            table.add_row(*("" if row[name] is None else escape(str(row[name])) for name in names))
        screen.print(table)
    outcomes = ", ".join(f"{rows} {outcome}" for outcome, rows in sorted(found.outcomes.items()))
    screen.print(f"{found.id} is {found.status}: {found.rows} rows, {outcomes or 'none applied'}")
    if len(wrong) == SHOWN:
        screen.print(f"these are the first {SHOWN}; GET /v1/inventory/imports/{found.id}/problems has all")
