"""How far a reader of the stock ledger has come.

A place in the log is the entry's transaction and its id in it. Ids alone are not in the sequence of commits: an entry
that was numbered early may be committed late, and a reader who went by its number would have passed it.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Everything up to here has been read."""

    transaction: int
    entry: int


START: Final = Cursor(0, 0)
"""Before the first entry."""


def of_webhook(channel: str) -> str:
    """The name of the cursor of what a channel's webhook has been told."""
    return f"webhook/{channel}"


_END = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


async def end(connection: AsyncConnection) -> Cursor:
    """Where the log stands now: what is not committed yet comes after it, and little of what is."""
    return Cursor(int(await connection.scalar(_END) or 0), 0)


_GET = text("SELECT transaction, entry FROM feed_cursors WHERE name = :name")


async def get(connection: AsyncConnection, name: str) -> Cursor | None:
    """The stored cursor of this name, or None."""
    row = (await connection.execute(_GET, {"name": name})).one_or_none()
    return None if row is None else Cursor(row.transaction, row.entry)


_PUT = text("""
INSERT INTO feed_cursors (name, transaction, entry) VALUES (:name, :transaction, :entry)
ON CONFLICT (name) DO NOTHING
""")


async def ensure(connection: AsyncConnection, name: str, *, from_start: bool = False) -> Cursor:
    """The stored cursor of this name; a new one stands at the end of the log, or before its first entry.

    One that lies beyond the log was stored in another database server, of which this is a copy: it starts again, for
    what changed since cannot be told.
    """
    found = await get(connection, name)
    if found is None:
        new = START if from_start else await end(connection)
        await connection.execute(_PUT, {"name": name, "transaction": new.transaction, "entry": new.entry})
        return await get(connection, name) or new  # another process may have been first
    if await is_ahead(connection, found):
        await advance(connection, name, found, START)
        return START
    return found


_AHEAD = text("SELECT CAST(:transaction AS bigint) > pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


async def is_ahead(connection: AsyncConnection, cursor: Cursor) -> bool:
    """Whether the cursor lies beyond the log: another database server gave it."""
    return bool(await connection.scalar(_AHEAD, {"transaction": cursor.transaction}))


_ADVANCE = text("""
UPDATE feed_cursors SET transaction = :transaction, entry = :entry, updated_at = now()
WHERE name = :name AND (transaction, entry) = (:old_transaction, :old_entry)
""")


async def advance(connection: AsyncConnection, name: str, old: Cursor, new: Cursor) -> bool:
    """Move the cursor on; False, and nothing is done, if it does not stand at `old` any more."""
    moved = await connection.execute(
        _ADVANCE,
        {
            "name": name,
            "transaction": new.transaction,
            "entry": new.entry,
            "old_transaction": old.transaction,
            "old_entry": old.entry,
        },
    )
    return moved.rowcount == 1
