"""The outbox as its relay sees it: what is due is claimed before it leaves, and settled when its outcome is known.

Messages for one receiver leave in the sequence of their ids. Ids are given when a message is written: of two
transactions the one that began to write after the other was committed has the higher one.

One relay sends at a time. A relay takes a number when it begins; whoever has an earlier one claims nothing any more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.notifications.messages import Medium, Notice
from dom.shared import ids
from dom.shared.texts import keepable
from store import exceptions
from store.database.engine import NO_WAIT_FOR_DISK
from store.database.parameters import to_rows
from store.enums import MessageStatus

CHANNEL: Final = "outbox"
"""What to listen to: PostgreSQL notifies it when something was written."""
_HERE: Final = Path(__file__).parent
_BEGIN: Final = text("UPDATE outbox_relay SET number = number + 1, since = now() RETURNING number")
_LEFT_BEHIND: Final = text("""
UPDATE outbox SET relay = NULL, next_attempt_at = statement_timestamp(),
    status = CASE medium WHEN 'mail' THEN 'uncertain' ELSE 'pending' END
WHERE status = 'sending'
RETURNING id, order_id, business_key, kind, recipient, status
""")


WRITING: Final = """
INSERT INTO outbox (business_key, order_id, message_key, kind, medium, recipient, receiver, payload, next_attempt_at)
SELECT e.business_key, e.order_id, e.message_key, e.kind, e.medium, e.recipient, e.receiver, e.payload,
       greatest(now(), (SELECT max(next_attempt_at) FROM outbox o WHERE o.receiver = e.receiver
                        AND o.status = 'pending'))
FROM (
    SELECT r.place, r.business_key, r.order_id, r.message_key, r.kind, r.medium, r.payload,
           coalesce(r.recipient, CASE r.medium WHEN 'mail' THEN about.email ELSE about.channel END) AS recipient,
           coalesce(r.receiver,
                    r.medium || '/' || CASE r.medium WHEN 'mail' THEN about.email ELSE r.order_id END) AS receiver
    FROM ROWS FROM (jsonb_to_recordset(CAST(:entries AS jsonb)) AS (
        business_key text, order_id text, message_key text, kind text, medium text, recipient text, receiver text,
        payload jsonb)) WITH ORDINALITY AS r (
        business_key, order_id, message_key, kind, medium, recipient, receiver, payload, place)
    LEFT JOIN LATERAL (
        SELECT document->'customer'->>'email' AS email, channel FROM orders
        WHERE id = r.order_id AND r.recipient IS NULL) about ON true
) AS e
WHERE e.medium <> 'channel' OR EXISTS (SELECT FROM channel_connections c WHERE c.channel = e.recipient AND c.tells)
ORDER BY e.place
ON CONFLICT (business_key) DO NOTHING"""
"""Writes `:entries` in their sequence, see `as_parameter`: a statement, or part of a larger one that has something to
write. What was written before is left alone, and a receiver that is not to be tried yet is not tried for this.
"""
_WRITE: Final = text(WRITING)
_CLAIM, _SETTLE = (
    text((_HERE / name).read_text(encoding="utf-8").replace("{no_wait_for_disk}", NO_WAIT_FOR_DISK))
    for name in ("claim.sql", "settle.sql")
)
_FORGET: Final = text("""
DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox WHERE message_key IS NULL AND status NOT IN ('pending', 'sending')
      AND created_at < statement_timestamp() - make_interval(secs => :seconds) ORDER BY created_at LIMIT :most)
""")
_KEPT_SECONDS: Final = 86400
_FORGOTTEN_AT_ONCE: Final = 10_000
_STANDING: Final = text("""
SELECT count(*) AS waiting, coalesce(extract(epoch FROM statement_timestamp() - min(created_at)), 0)::float AS oldest
FROM outbox WHERE status IN ('pending', 'sending')
""")


class AnotherRelay(Exception):
    """A later relay has begun: this one has nothing to do any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to tell: once under its key, to a receiver after all that was written for it before.

    A mail without a recipient goes to the order's customer, and a webhook to where its channel's orders are told. What
    is for the platform of a channel that is told nothing of its orders is not written.
    """

    business_key: str
    kind: str
    medium: Medium
    recipient: str | None
    receiver: str | None
    payload: Mapping[str, Any]
    order_id: str | None = None
    message_key: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Messages that are this relay's to send, in the sequence of their ids, each with what it may tell of its order and
    of the fulfilment or node that it is about; `next_in` seconds until others are due.

    A node is named only where the customer has to go there, or to send something there.
    """

    messages: Sequence[RowMapping]
    next_in: float | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a message. One that is pending again is due in `again_in` seconds, and its receiver with it."""

    id: int
    status: MessageStatus
    error: str = ""
    again_in: float | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The messages of which was written what became of them; `more` says that others are due."""

    ids: frozenset[int]
    more: bool


def of_channel(channel_id: str) -> str:
    """The receiver that a channel's own webhook is."""
    return f"{Medium.AVAILABILITY}/{channel_id}"


def to_order(order_id: str, notice: Notice, argument: Mapping[str, Any], *, key: str) -> Entry:
    """A notice to an order's process: a signal with its argument, once under the key."""
    return _to_process(ids.order_workflow_id(order_id), f"{order_id}/{key}", order_id, notice, argument)


def to_channel_order(channel: str, number: str, reference: str = "", *, key: str) -> Entry:
    """A message of a channel waits: a notice to what takes in the messages of that order, once under the key. Of an
    order whose number is not known yet, `reference` is the platform's own id.
    """
    workflow_id = ids.channel_order_workflow_id(channel, number or f"~{reference}")
    about = {"channel": channel, "number": number, **({} if number else {"reference": reference})}
    return _to_process(workflow_id, key, None, Notice.MESSAGE_RECEIVED, about)


def to_return(return_id: str, order_id: str, notice: Notice, argument: Mapping[str, Any]) -> Entry:
    """What the process of a return begins with, once."""
    return _to_process(ids.return_workflow_id(return_id), f"{return_id}/{notice}", order_id, notice, argument)


def _to_process(workflow_id: str, key: str, order_id: str | None, notice: Notice, argument: Mapping[str, Any]) -> Entry:
    return Entry(
        business_key=f"{key}/{Medium.WORKFLOW}",
        kind=notice,
        medium=Medium.WORKFLOW,
        recipient=workflow_id,
        receiver=f"{Medium.WORKFLOW}/{workflow_id}",
        payload=argument,
        order_id=order_id,
    )


async def write(connection: AsyncConnection, *entries: Entry) -> None:
    """Write what is to be told, in the transaction of what it tells of; what has been written before is left alone."""
    await connection.execute(_WRITE, as_parameter(entries))


def as_parameter(entries: Iterable[Entry]) -> dict[str, str]:
    """The entries as the bind parameter of a statement that writes them."""
    return {"entries": to_rows(asdict(each) for each in entries)}


async def begin(connection: AsyncConnection) -> int:
    """Be the relay from now on; answers its number. Call it in a transaction of its own.

    What the relay before had claimed was on its way when it ended. Whether a mail arrived nobody knows: it becomes
    `uncertain`, stands in the exception queue and is not sent again. All else carries an id its receiver knows again,
    and is sent again.
    """
    number = int(await connection.scalar(_BEGIN) or 0)
    for row in (await connection.execute(_LEFT_BEHIND)).mappings().all():
        if row["status"] == MessageStatus.UNCERTAIN:
            about = f"{row['kind']} to {row['recipient']} - its sender died, whether it arrived is not known"
            await exceptions.open_(
                connection, row["order_id"], ExceptionKind.MESSAGE_UNCERTAIN, row["business_key"], about
            )
    return number


async def claim(
    connection: AsyncConnection, relay: int, slots: Mapping[Medium, int], known: Collection[int] = ()
) -> Claimed:
    """Claim what is due, at most so many of each medium. Raises AnotherRelay if a later one has begun.

    `known` are the messages that the relay has in hand. Others that it claimed have not left: their claim was
    committed, and the connection was lost before it said so.

    A claim that has no mail is on disk a moment later: if a crash of the database server loses it, what was claimed is
    sent again, under the id by which its receiver knows it.
    """
    names = {"relay": relay, "media": list(slots), "slots": list(slots.values()), "known": list(known)}
    rows = (await connection.execute(_CLAIM, names)).mappings().all()
    if not rows:
        raise AnotherRelay
    return Claimed([row for row in rows if row["id"] is not None], rows[0]["next_in"])


async def settle(connection: AsyncConnection, relay: int, outcomes: Sequence[Settlement]) -> Settled:
    """Write what became of claimed messages; of those that another relay has taken over nothing is written.

    An error's text may be another system's: what cannot be kept of it is left out or escaped. As of `claim`, only what
    became of mails is on disk at once.
    """
    rows = to_rows({**asdict(each), "error": keepable(each.error)[:500]} for each in outcomes)
    settled = (await connection.execute(_SETTLE, {"relay": relay, "outcomes": rows})).all()
    return Settled(frozenset(row.id for row in settled), not settled or settled[0].more)


async def forget(connection: AsyncConnection) -> None:
    """Let go of old notices and webhooks of availability, which nobody asks for any more; a part of them at once."""
    await connection.execute(_FORGET, {"seconds": _KEPT_SECONDS, "most": _FORGOTTEN_AT_ONCE})


async def backlog(connection: AsyncConnection) -> RowMapping:
    """How many messages have not gone out, and how many seconds ago the `oldest` of them was written."""
    return (await connection.execute(_STANDING)).mappings().one()
