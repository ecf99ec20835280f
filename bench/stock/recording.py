"""The statements that the store sends, as it sends them: what is measured and explained is what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters, as the driver got them."""

    text: str
    parameters: Any


@contextmanager
def recorded(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """Every statement that goes over the engine from here to the end of the block."""
    statements: list[Statement] = []

    def note(_connection: Any, _cursor: Any, sent: str, parameters: Any, _context: Any, _many: bool) -> None:
        statements.append(Statement(sent, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def explained(connection: AsyncConnection, statement: Statement) -> Mapping[str, Any]:
    """The plan of a statement with these parameters."""
    answer = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement.text}", statement.parameters)
    found = answer.scalar_one()
    plan: Mapping[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def access(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(node type, table or index) of each node of the plan that reads a table, in the plan's sequence."""
    own: list[tuple[str, str]] = []
    if "Relation Name" in plan:
        own.append((plan["Node Type"], plan["Relation Name"]))
    inner: Sequence[Mapping[str, Any]] = plan.get("Plans", ())
    return own + [each for one in inner for each in access(one)]
