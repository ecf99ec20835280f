"""Messages of channels: each is kept once as it came, and settled once it is known what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.faults import MessageFault
from dom.channels.messages import InboundMessage
from dom.channels.outcomes import ASKED_FOR, MessageOutcome
from dom.shared.errors import NotFound
from store.database.parameters import to_json

_INSERT: Final = text("""
INSERT INTO channel_messages (channel, source, delivery_id, event_id, topic, order_number, reference, content_hash,
                              headers, body, received_at)
VALUES (:channel, :source, :delivery_id, :event_id, :topic, :order_number, :reference, :content_hash,
        CAST(:headers AS jsonb), :body, :received_at)
ON CONFLICT DO NOTHING RETURNING id
""")
_KNOWN: Final = text("""
SELECT id FROM channel_messages
WHERE channel = :channel
  AND (delivery_id = :delivery_id OR order_number = :order_number AND content_hash = :content_hash)
ORDER BY id LIMIT 1
""")
_REPEAT: Final = text("""
INSERT INTO channel_message_repeats (message_id, delivery_id, received_at)
VALUES (:id, :delivery_id, :received_at)
""")
_COLUMNS: Final = """id, channel, source, delivery_id, event_id, topic, order_number, headers, received_at, outcome,
    detail, reference, order_id, faults, repairs, replays, mapping_version, settled_at,
    (SELECT count(*) FROM channel_message_repeats r WHERE r.message_id = m.id) AS repeats"""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message that is in the inbox; `is_new`: it was not before."""

    id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class SettledMessage:
    """What became of a message."""

    outcome: MessageOutcome
    detail: str = ""
    order_id: str | None = None
    faults: tuple[MessageFault, ...] = ()
    mapping_version: int | None = None


async def keep(connection: AsyncConnection, message: InboundMessage) -> KeptMessage:
    """Keep a message. One that came before, by its delivery or by its content, is counted as a repeat of that; but not
    where we asked for it once more.
    """
    values = {
        "channel": message.channel,
        "source": message.source,
        "delivery_id": message.identity.delivery_id,
        "event_id": message.identity.event_id,
        "topic": message.identity.topic,
        "order_number": message.identity.order_number,
        "reference": message.identity.reference,
        "content_hash": message.content_hash,
        "headers": to_json(dict(message.headers)),
        "body": message.body,
        "received_at": message.received_at,
    }
    made = await connection.scalar(_INSERT, values)
    if made is not None:
        return KeptMessage(int(made), is_new=True)
    known = int(await connection.scalar(_KNOWN, values) or 0)
    if message.source not in ASKED_FOR:
        await connection.execute(_REPEAT, {**values, "id": known})
    return KeptMessage(known, is_new=False)


_OPEN: Final = text("""
SELECT id, source, reference, body, repairs, replays FROM channel_messages
WHERE channel = :channel AND order_number = :number AND outcome = 'received' ORDER BY id LIMIT :most
""")
_OPEN_REFERENCES: Final = text("""
SELECT id, source, reference, body, repairs, replays FROM channel_messages
WHERE channel = :channel AND reference = :reference AND order_number IS NULL AND outcome = 'received'
ORDER BY id LIMIT :most
""")
_PUT_NUMBER: Final = text("UPDATE channel_messages SET order_number = :number WHERE id = :id")


async def waiting(connection: AsyncConnection, channel: str, number: str, most: int) -> Sequence[RowMapping]:
    """Messages of an order that wait for their turn, in the sequence in which they came."""
    found = await connection.execute(_OPEN, {"channel": channel, "number": number, "most": most})
    return found.mappings().all()


async def without_number(connection: AsyncConnection, channel: str, reference: str, most: int) -> Sequence[RowMapping]:
    """Messages that name an order by the platform's own id alone, and wait until its number is known."""
    found = await connection.execute(_OPEN_REFERENCES, {"channel": channel, "reference": reference, "most": most})
    return found.mappings().all()


async def put_number(connection: AsyncConnection, message_id: int, number: str) -> None:
    """It is known now which order the message is about."""
    await connection.execute(_PUT_NUMBER, {"id": message_id, "number": number})


_SETTLE: Final = text("""
UPDATE channel_messages SET outcome = :outcome, detail = :detail, order_id = coalesce(:order_id, order_id),
    faults = CAST(:faults AS jsonb), mapping_version = coalesce(:mapping_version, mapping_version),
    fetched = coalesce(:fetched, fetched), fetched_at = CASE WHEN CAST(:fetched AS bytea) IS NULL THEN fetched_at
                                                        ELSE clock_timestamp() END,
    settled_at = clock_timestamp()
WHERE id = :id AND outcome = 'received' AND replays = coalesce(CAST(:replays AS integer), replays)
""")


async def settle(
    connection: AsyncConnection,
    message_id: int,
    settled: SettledMessage,
    *,
    replays: int | None = None,
    fetched: bytes | None = None,
) -> None:
    """Write down what became of a message; nothing if it was replayed since it had so many `replays`.

    `fetched` is the order's state that was read in place of what came.
    """
    values = {
        "id": message_id,
        "outcome": settled.outcome,
        "detail": settled.detail,
        "order_id": settled.order_id,
        "faults": to_json([fault.model_dump() for fault in settled.faults]),
        "mapping_version": settled.mapping_version,
        "replays": replays,
        "fetched": fetched,
    }
    await connection.execute(_SETTLE, values)


_GET: Final = text(f"SELECT {_COLUMNS}, body, fetched, fetched_at FROM channel_messages m WHERE id = :id")
_LOCKED: Final = text("""
SELECT outcome, channel, order_number, reference, headers, coalesce(fetched, body) AS body, repairs
FROM channel_messages WHERE id = :id FOR NO KEY UPDATE
""")
_FIND: Final = text(f"""
SELECT {_COLUMNS} FROM channel_messages m
WHERE (CAST(:channels AS text[]) IS NULL OR channel = ANY(:channels))
  AND (CAST(:outcomes AS text[]) IS NULL OR outcome = ANY(:outcomes))
  AND (CAST(:number AS text) IS NULL OR order_number = :number)
  AND (CAST(:before AS bigint) IS NULL OR id < :before)
ORDER BY id DESC LIMIT :limit
""")
_LATEST: Final = text("""
SELECT id, coalesce(fetched, body) AS body FROM channel_messages WHERE channel = :channel ORDER BY id DESC LIMIT :most
""")
_REOPEN: Final = text("""
UPDATE channel_messages SET outcome = 'received', settled_at = NULL, replays = replays + 1,
    order_number = coalesce(:number, order_number), repairs = repairs || CAST(:repairs AS jsonb)
WHERE id = :id RETURNING replays
""")


async def get(connection: AsyncConnection, message_id: int, channels: Sequence[str] | None) -> RowMapping:
    """A message with its body, of these channels or (None) any. Raises NotFound."""
    row = (await connection.execute(_GET, {"id": message_id})).mappings().one_or_none()
    if row is None or (channels is not None and row["channel"] not in channels):
        raise NotFound(f"there is no message {message_id}")
    return row


async def find(
    connection: AsyncConnection,
    *,
    channels: Sequence[str] | None,
    outcomes: Sequence[MessageOutcome],
    number: str | None,
    before: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Messages without their bodies, the newest first."""
    asked = {
        "channels": None if channels is None else list(channels),
        "outcomes": [str(each) for each in outcomes] or None,
        "number": number,
        "before": before,
        "limit": limit,
    }
    return (await connection.execute(_FIND, asked)).mappings().all()


async def latest(connection: AsyncConnection, channel: str, most: int) -> Sequence[RowMapping]:
    """The channel's last messages with their bodies, the newest first."""
    return (await connection.execute(_LATEST, {"channel": channel, "most": most})).mappings().all()


async def locked(connection: AsyncConnection, message_id: int) -> RowMapping:
    """The message's outcome, channel, order number and body; nobody else settles it until the transaction ends.

    Raises NotFound.
    """
    row = (await connection.execute(_LOCKED, {"id": message_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no message {message_id}")
    return row


async def reopen(connection: AsyncConnection, message_id: int, number: str | None, repairs: Mapping[str, Any]) -> int:
    """Let a message have its turn once more, with what a person put in place of fields; `number` is that of its order,
    None where nobody knows it. Answers how often it was replayed by now.
    """
    values = {"id": message_id, "number": number, "repairs": to_json(dict(repairs))}
    return int(await connection.scalar(_REOPEN, values) or 0)


_TWICE: Final = text("""
SELECT EXISTS (
    SELECT FROM channel_messages other JOIN channel_messages m ON m.id = :id
    WHERE other.channel = m.channel AND other.order_number = :number AND other.content_hash = m.content_hash
      AND other.id <> m.id)
""")
_DUPLICATE: Final = text("""
UPDATE channel_messages SET outcome = 'duplicate', detail = 'the same content came as another message', faults = '[]',
    settled_at = clock_timestamp() WHERE id = :id
""")


async def stands_twice(connection: AsyncConnection, message_id: int, number: str) -> bool:
    """Whether another message says the same of the order."""
    return bool(await connection.scalar(_TWICE, {"id": message_id, "number": number}))


async def settle_as_duplicate(connection: AsyncConnection, message_id: int) -> None:
    """Write down that another message says the same, which nobody knew before its number was."""
    await connection.execute(_DUPLICATE, {"id": message_id})


_DISMISS: Final = text("""
UPDATE channel_messages SET outcome = 'dismissed', detail = :detail, settled_at = clock_timestamp() WHERE id = :id
""")


async def dismiss(connection: AsyncConnection, message_id: int, detail: str) -> None:
    """Write down that nothing is to be made of a message. Its faults stay, to be seen."""
    await connection.execute(_DISMISS, {"id": message_id, "detail": detail})


_FORGOTTEN: Final = text("""
SELECT DISTINCT ON (channel, order_number, reference) id, channel, order_number, reference FROM channel_messages
WHERE outcome = 'received' AND received_at < :before AND (order_number IS NOT NULL OR reference IS NOT NULL)
ORDER BY channel, order_number, reference, id LIMIT 500
""")


async def forgotten(connection: AsyncConnection, before: datetime) -> Sequence[RowMapping]:
    """Of each order of which a message came before then and still waits, the first such message."""
    return (await connection.execute(_FORGOTTEN, {"before": before})).mappings().all()


_FORGET: Final = text("""
DELETE FROM channel_messages WHERE id IN (
    SELECT id FROM channel_messages WHERE received_at < :before AND outcome NOT IN ('received', 'quarantined')
    ORDER BY received_at LIMIT :most)
""")


async def forget(connection: AsyncConnection, before: datetime, most: int) -> int:
    """Delete messages that came before then and are settled, at most so many; answers how many."""
    return int((await connection.execute(_FORGET, {"before": before, "most": most})).rowcount)


_BALANCE: Final = text("""
SELECT channel, CAST(received_at AT TIME ZONE 'UTC' AS date) AS day, outcome, count(*) AS messages,
       coalesce(sum((SELECT count(*) FROM channel_message_repeats r WHERE r.message_id = m.id)), 0) AS repeats
FROM channel_messages m
WHERE received_at >= :since AND (CAST(:channels AS text[]) IS NULL OR channel = ANY(:channels))
GROUP BY 1, 2, 3 ORDER BY 2 DESC, 1, 3
""")


async def balance(connection: AsyncConnection, since: datetime, channels: Sequence[str] | None) -> Sequence[RowMapping]:
    """How many messages of each channel and day (UTC) became what, and how many were repeats of one of them."""
    asked = {"since": since, "channels": None if channels is None else list(channels)}
    return (await connection.execute(_BALANCE, asked)).mappings().all()
