"""The outbox: what the system has yet to tell somebody, or has told; and the number of the relay that sends it."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from dom.notifications.messages import Medium
from store.enums import MessageStatus
from store.tables.common import metadata, moment, one_of, serial

_UNSENT = "status IN ('pending', 'sending')"

outbox = Table(
    "outbox",
    metadata,
    serial(),
    Column("business_key", Text, nullable=False, unique=True),
    Column("order_id", Text, ForeignKey("orders.id"), comment="null: not about one order"),
    Column("message_key", Text),
    Column("kind", Text, nullable=False),
    Column("medium", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default=MessageStatus.PENDING),
    Column("error", Text, nullable=False, server_default=""),
    moment("created_at", now=True),
    moment("sent_at", nullable=True),
    Column("receiver", Text, nullable=False, comment="what goes to one receiver goes in the sequence of the ids"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("next_attempt_at", now=True),
    Column("relay", BigInteger, comment="the number of the relay that is sending it"),
    one_of("status", MessageStatus),
    one_of("medium", Medium),
    Index("outbox_message_key_ix", "order_id", "message_key"),
    Index("outbox_status_ix", "status", "id"),
    Index("outbox_receiver_ix", "receiver", "id", postgresql_where=text(_UNSENT)),
    Index("outbox_passing_ix", "created_at", postgresql_where=text("message_key IS NULL")),
    Index("outbox_due_ix", "medium", "next_attempt_at", "id", postgresql_where=text("status = 'pending'")),
)

outbox_relay = Table(
    "outbox_relay",
    metadata,
    Column("is_only", Boolean, primary_key=True, server_default=text("true")),
    Column("number", BigInteger, nullable=False, comment="of the relay that may send; the next one takes the next"),
    moment("since", now=True),
    CheckConstraint("is_only", name="is_only"),
)
