"""The inbox: messages of channels as they came, what became of each, and the mappings they are read by."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dom.channels.channel_order import ChannelState
from dom.channels.outcomes import MessageOutcome, MessageSource
from store.tables.common import metadata, moment, one_of, serial

# No version ever changes, which the database sees to.
channel_mappings = Table(
    "channel_mappings",
    metadata,
    Column("channel", Text, ForeignKey("channels.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False),
    Column("source", Text, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("published_by", Text, nullable=False),
    moment("published_at", now=True),
)

# What came never changes, which the database sees to; what became of it does.
channel_messages = Table(
    "channel_messages",
    metadata,
    serial(),
    Column("channel", Text, ForeignKey("channels.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("event_id", Text),
    Column("topic", Text, nullable=False, server_default=""),
    Column("order_number", Text, comment="the channel's own number; null: it names none, or cannot be read"),
    Column("content_hash", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="as it came"),
    moment("received_at", now=True),
    Column("outcome", Text, nullable=False, server_default=MessageOutcome.RECEIVED),
    Column("detail", Text, nullable=False, server_default=""),
    Column("order_id", Text),
    Column("faults", JSONB, nullable=False, server_default=text("'[]'")),
    Column(
        "repairs",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="what a person put in place of fields, by field",
    ),
    Column("replays", Integer, nullable=False, server_default=text("0")),
    Column("mapping_version", Integer),
    moment("settled_at", nullable=True),
    Column("reference", Text, comment="the platform's own id of the order, where it has one beside the number"),
    Column(
        "fetched",
        LargeBinary,
        comment="the order's state as its platform had it when the message had its turn; null: what came is read",
    ),
    moment("fetched_at", nullable=True),
    one_of("source", MessageSource),
    one_of("outcome", MessageOutcome),
    CheckConstraint("(outcome = 'received') = (settled_at IS NULL)", name="settled_has_time"),
    Index("channel_messages_delivery_ix", "channel", "delivery_id", unique=True),
    Index(
        "channel_messages_content_ix",
        "channel",
        "order_number",
        "content_hash",
        unique=True,
        postgresql_where=text("order_number IS NOT NULL"),
    ),
    Index(
        "channel_messages_open_ix",
        "channel",
        "order_number",
        "id",
        postgresql_where=text("outcome = 'received'"),
    ),
    Index("channel_messages_outcome_ix", "outcome", "id"),
    Index("channel_messages_channel_ix", "channel", "id"),
    Index("channel_messages_number_ix", "order_number", "id"),
    Index("channel_messages_received_ix", "channel", "received_at", "id"),
)

channel_message_repeats = Table(
    "channel_message_repeats",
    metadata,
    serial(),
    Column("message_id", BigInteger, ForeignKey("channel_messages.id", ondelete="CASCADE"), nullable=False),
    Column("delivery_id", Text, nullable=False),
    moment("received_at", now=True),
    Index("channel_message_repeats_message_ix", "message_id"),
)

# What a channel told of an order last. One that was cancelled before it came is kept so that it is never captured.
channel_orders = Table(
    "channel_orders",
    metadata,
    Column("channel", Text, ForeignKey("channels.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("version", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id"), comment="null: the channel told of it, and nothing was captured"),
    Column("document", JSONB, comment="the last state that the channel told"),
    moment("updated_at", now=True),
    Column("reference", Text, comment="the platform's own id of the order"),
    Column(
        "sent_before",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="units by line that were sent before the order was captured here",
    ),
    Column(
        "repairs",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="what a person put in place of fields, by field: what stood there, and what it is",
    ),
    one_of("state", ChannelState),
    Index("channel_orders_reference_ix", "channel", "reference", postgresql_where=text("reference IS NOT NULL")),
    Index("channel_orders_order_ix", "order_id", postgresql_where=text("order_id IS NOT NULL")),
)
