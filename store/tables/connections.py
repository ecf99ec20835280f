"""How channels are connected to their platforms, how far their feeds are read, and what they were told of orders."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from dom.channels.connection import Feed, Platform
from dom.channels.telling import StepKind
from store.tables.common import metadata, moment, one_of

channel_connections = Table(
    "channel_connections",
    metadata,
    Column("channel", Text, ForeignKey("channels.id"), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("tells", Boolean, nullable=False),
    Column("stock", Boolean, nullable=False),
    Column("document", JSONB, nullable=False),
    moment("paused_at", nullable=True),
    Column("paused_by", Text, nullable=False, server_default=""),
    Column("pause_reason", Text, nullable=False, server_default=""),
    moment("updated_at", now=True),
    one_of("platform", Platform),
)

channel_feeds = Table(
    "channel_feeds",
    metadata,
    Column("channel", Text, ForeignKey("channel_connections.channel", ondelete="CASCADE"), primary_key=True),
    Column("feed", Text, primary_key=True),
    Column(
        "position",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="where it goes on, in the terms of its connector",
    ),
    Column("due_at", DateTime(timezone=True), comment="when it is read next; null: not by itself"),
    Column("run", BigInteger, nullable=False, server_default=text("0"), comment="how often it was begun"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    Column(
        "read",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="orders, or SKUs, that were read in the run, or in the last one",
    ),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("error", Text, nullable=False, server_default=""),
    moment("failed_at", nullable=True),
    one_of("feed", Feed),
    Index("channel_feeds_due_ix", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

# What a channel was told of an order, each once under its key.
channel_told = Table(
    "channel_told",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("platform_id", Text, nullable=False, server_default="", comment="what the platform calls it"),
    Column("found", Boolean, nullable=False, comment="it was there already when it was to be told"),
    moment("told_at", now=True),
    one_of("kind", StepKind),
)
