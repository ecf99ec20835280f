"""What PostgreSQL does for a search: its statements, explained as they were run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Statement = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a plan: what it does, and to which table by which index."""

    kind: str
    table: str | None
    index: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one statement took; `pages` of the buffers, found in memory or not."""

    steps: tuple[Step, ...]
    milliseconds: float
    pages: int

    @property
    def scanned(self) -> set[str]:
        """Tables that were read from end to end."""
        return {str(step.table) for step in self.steps if step.kind == "Seq Scan"}


@contextmanager
def recorded(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """The statements that read something, in sequence, with their parameters."""
    seen: list[Statement] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def explained(connection: AsyncConnection, statement: Statement) -> Plan:
    """Run the statement once more and say how."""
    asked, parameters = statement
    rows = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}", parameters)
    (told,) = rows.scalar_one()
    top = told["Plan"]
    pages = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return Plan(tuple(_steps(top)), told["Planning Time"] + told["Execution Time"], pages)


def _steps(node: dict[str, Any]) -> Iterator[Step]:
    if node.get("Actual Loops") != 0:
        yield Step(node["Node Type"], node.get("Relation Name"), node.get("Index Name"))
    for each in node.get("Plans", ()):
        yield from _steps(each)
