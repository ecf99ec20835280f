"""Corrections of channels' messages: found anew at each turn of a message; what a person decided of one stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.corrections import CorrectionStatus, FieldCorrection, kept
from dom.shared.errors import NotFound
from store.database.parameters import to_json, to_rows

_COLUMNS: Final = (
    "id, message_id, field, before, after, rule, confidence, why, status, found_at, decided_by, decided_at"
)
_GONE: Final = text("""
DELETE FROM channel_corrections c WHERE message_id = :message AND status IN ('applied', 'proposed')
  AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (field text, rule text, after jsonb)
      WHERE f.field = c.field AND f.rule = c.rule AND coalesce(f.after, 'null') = c.after)
""")
_PUT: Final = text("""
INSERT INTO channel_corrections (message_id, channel, position, field, before, after, rule, confidence, why,
                                 by_itself, status, found_at)
SELECT :message, :channel, f.position, f.field, coalesce(f.before, 'null'), coalesce(f.after, 'null'), f.rule,
       f.confidence, f.why, f.status = 'applied', f.status, :at
FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (
    position integer, field text, before jsonb, after jsonb, rule text, confidence integer, why text, status text)
ON CONFLICT (message_id, field, rule, md5(after::text)) DO UPDATE
    SET position = excluded.position, before = excluded.before, confidence = excluded.confidence, why = excluded.why,
        by_itself = excluded.by_itself, status = excluded.status
    WHERE channel_corrections.status IN ('applied', 'proposed')
""")
_OF: Final = text(f"""
SELECT {_COLUMNS} FROM channel_corrections WHERE message_id = ANY(:messages) ORDER BY message_id, position, id
""")
_LOCK: Final = text(f"""
SELECT {_COLUMNS} FROM channel_corrections WHERE message_id = :message AND id = :id FOR NO KEY UPDATE
""")
_DECIDE: Final = text("""
UPDATE channel_corrections SET status = :status, decided_by = :by, decided_at = :at WHERE id = :id
""")
_REJECTED: Final = text("""
SELECT field, rule, after FROM channel_corrections WHERE message_id = :message AND status = 'rejected'
""")


async def record(
    connection: AsyncConnection,
    message_id: int,
    channel: str,
    applied: Sequence[FieldCorrection],
    proposed: Sequence[FieldCorrection],
    at: datetime,
) -> None:
    """Write down what was found of a message at its turn. What a person decided of it stays."""
    named = [(each, CorrectionStatus.APPLIED) for each in applied]
    named += [(each, CorrectionStatus.PROPOSED) for each in proposed]
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for position, (each, status) in enumerate(named):
        row = {name: kept(value) for name, value in each.model_dump().items()}
        key = (each.field, each.rule, to_json(row["after"]))
        found.setdefault(key, {**row, "status": status, "position": position})
    if found:
        values = {"message": message_id, "channel": channel, "at": at, "found": to_rows(found.values())}
        await connection.execute(_PUT, values)


async def forget(connection: AsyncConnection, message_id: int, found: Sequence[FieldCorrection]) -> None:
    """Take away what was found of a message at an earlier turn and is not any more, unless a person decided it."""
    rows = [{name: kept(value) for name, value in each.model_dump().items()} for each in found]
    await connection.execute(_GONE, {"message": message_id, "found": to_rows(rows)})


async def of_messages(connection: AsyncConnection, message_ids: Sequence[int]) -> Sequence[RowMapping]:
    """The corrections of messages, in the sequence in which they were made."""
    return (await connection.execute(_OF, {"messages": list(message_ids)})).mappings().all()


async def locked(connection: AsyncConnection, message_id: int, correction_id: int) -> RowMapping:
    """A correction of a message; nobody else decides it until the transaction ends. Raises NotFound."""
    asked = {"message": message_id, "id": correction_id}
    row = (await connection.execute(_LOCK, asked)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"message {message_id} has no correction {correction_id}")
    return row


async def decide(
    connection: AsyncConnection, correction_id: int, status: CorrectionStatus, by: str, at: datetime
) -> None:
    """Write down what a person decided."""
    await connection.execute(_DECIDE, {"id": correction_id, "status": status, "by": by, "at": at})


async def rejected(connection: AsyncConnection, message_id: int) -> frozenset[tuple[str, str, str]]:
    """Field, rule and value (as text) of what a person said is wrong of a message."""
    found = await connection.execute(_REJECTED, {"message": message_id})
    return frozenset({(row.field, row.rule, str(row.after)) for row in found})


_RATES: Final = text("""
SELECT channel, CAST(found_at AT TIME ZONE 'UTC' AS date) AS day, rule,
       count(*) FILTER (WHERE status = 'applied') AS applied, count(*) FILTER (WHERE status = 'proposed') AS proposed,
       count(*) FILTER (WHERE status = 'accepted') AS accepted, count(*) FILTER (WHERE status = 'rejected') AS rejected
FROM channel_corrections
WHERE found_at >= :since AND (CAST(:channels AS text[]) IS NULL OR channel = ANY(:channels))
GROUP BY 1, 2, 3 ORDER BY 2 DESC, 1, 3
""")
_SHARES: Final = text("""
SELECT channel, CAST(received_at AT TIME ZONE 'UTC' AS date) AS day, count(*) AS messages,
       count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined
FROM channel_messages
WHERE received_at >= :since AND (CAST(:channels AS text[]) IS NULL OR channel = ANY(:channels))
GROUP BY 1, 2 ORDER BY 2 DESC, 1
""")


async def rates(connection: AsyncConnection, since: datetime, channels: Sequence[str] | None) -> Sequence[RowMapping]:
    """How many corrections of each channel, day (UTC) and rule stand where."""
    return (await connection.execute(_RATES, _asked(since, channels))).mappings().all()


async def shares(connection: AsyncConnection, since: datetime, channels: Sequence[str] | None) -> Sequence[RowMapping]:
    """How many messages of each channel and day (UTC) came, and how many of them wait in quarantine."""
    return (await connection.execute(_SHARES, _asked(since, channels))).mappings().all()


def _asked(since: datetime, channels: Sequence[str] | None) -> dict[str, Any]:
    return {"since": since, "channels": None if channels is None else list(channels)}
