"""Holds of orders, and the policy that says which there are and when they are put on."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dom.orders.holds import BlockedStep
from store.tables.common import metadata, moment

_STEPS = ", ".join(f"'{step}'" for step in BlockedStep)

order_holds = Table(
    "order_holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("blocks", ARRAY(Text), nullable=False, comment="the steps that wait for its release"),
    Column("purpose", Text, nullable=False, server_default="", comment="why it was put on"),
    Column("owner", Text, nullable=False, server_default="", comment="the person or role that looks at it"),
    Column("placed_by", Text, nullable=False),
    moment("placed_at"),
    moment("due_at", nullable=True),
    moment("release_at", nullable=True),
    Column("overdue", Boolean, nullable=False, server_default=text("false"), comment="a person heard that it is due"),
    Column("released_by", Text),
    moment("released_at", nullable=True),
    Column("resolution", Text, comment="why it was released"),
    CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released_by_somebody"),
    CheckConstraint(f"blocks <@ ARRAY[{_STEPS}]::text[] AND blocks <> '{{}}'", name="blocks"),
    Index("order_holds_standing_ix", "order_id", "type", unique=True, postgresql_where=text("released_at IS NULL")),
    Index("order_holds_order_ix", "order_id"),
    Index("order_holds_type_ix", "type", "placed_at", postgresql_where=text("released_at IS NULL")),
)

hold_policies = Table(
    "hold_policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("written_by", Text, nullable=False),
    moment("written_at", now=True),
)
