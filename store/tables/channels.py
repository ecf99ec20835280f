"""Channels: what each may see and take of the stock, and how far it has been told of changes."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, ForeignKey, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.common import metadata, moment

channels = Table(
    "channels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("priority", Integer, nullable=False, server_default=text("100"), comment="lower is served first"),
    Column("document", JSONB, nullable=False),
    Column("webhook_secret", Text, nullable=False, server_default=""),
    moment("updated_at", now=True),
)

# The most specific rule counts: SKU and node, SKU, node, neither. An empty text stands for "every".
channel_rules = Table(
    "channel_rules",
    metadata,
    Column("channel", Text, ForeignKey("channels.id"), primary_key=True),
    Column("sku", Text, primary_key=True, server_default=""),
    Column("node_id", Text, primary_key=True, server_default=""),
    Column("buffer", Integer, nullable=False, comment="units of each balance kept from the channel"),
    Column("share", Integer, nullable=False, comment="percent of what is left that the channel may have"),
    Column("excluded", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("buffer >= 0", name="buffer_not_negative"),
    CheckConstraint("share BETWEEN 0 AND 100", name="share_is_percent"),
)

# How far a reader of stock changes has come: in the sequence of the ledger's transactions.
feed_cursors = Table(
    "feed_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("transaction", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    moment("updated_at", now=True),
)

# What a channel was told last of a SKU, so that one that only asked for levels hears of their changes alone.
channel_levels = Table(
    "channel_levels",
    metadata,
    Column("channel", Text, ForeignKey("channels.id"), primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("level", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("told_at", DateTime(timezone=True), comment="when the channel took it; null: not yet"),
)
