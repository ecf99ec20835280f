"""Goods that wait at their node for the customer. What nodes may not read, the code, stands apart from their work."""

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Table, Text, text

from store.tables.common import metadata, moment

_WAITS = text("ended_at IS NULL")

collections = Table(
    "collections",
    metadata,
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id"), primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("node_id", Text, nullable=False),
    Column("code", Text, nullable=False, comment="with which the goods are given out"),
    Column("code_required", Boolean, nullable=False),
    moment("collect_by"),
    Column("reminders", ARRAY(DateTime(timezone=True)), nullable=False, comment="still to be sent, earliest first"),
    Column("wrong_codes", Integer, nullable=False, server_default=text("0")),
    Column("reminded", Integer, nullable=False, server_default=text("0")),
    Column("kept", Integer, nullable=False, server_default=text("0"), comment="how often the time was extended"),
    moment("ended_at", nullable=True),
    Column("to_put_back", Boolean, nullable=False, server_default=text("false"), comment="not collected, not put back"),
    moment("put_back_at", nullable=True),
    CheckConstraint("NOT to_put_back OR put_back_at IS NULL", name="put_back_once"),
    Index("collections_order_ix", "order_id"),
    Index("collections_code_ix", "node_id", "code", unique=True, postgresql_where=_WAITS),
    Index("collections_due_ix", "collect_by", postgresql_where=_WAITS),
    Index("collections_reminder_ix", text("(reminders[1])"), postgresql_where=_WAITS),
    Index("collections_put_back_ix", "node_id", "fulfilment_id", postgresql_where=text("to_put_back")),
)
