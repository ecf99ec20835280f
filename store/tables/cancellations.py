"""Cancellations that nodes are asked for, because they have picked the goods, and carriers, which have the parcel."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from dom.orders.asked import AskedOf, CancellationEnd, CancellationStatus
from store.tables.common import metadata, moment, one_of

_OPEN = text(f"status = '{CancellationStatus.ASKED}'")

cancellation_requests = Table(
    "cancellation_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id"), nullable=False),
    Column("node_id", Text, nullable=False),
    Column("asked_of", Text, nullable=False),
    Column("units", JSONB, nullable=False, comment="what is to be cancelled, by line"),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default="", comment="why it is to be cancelled"),
    Column("asked_by", Text, nullable=False),
    moment("asked_at"),
    moment("answer_by"),
    Column("answered_by", Text),
    moment("answered_at", nullable=True),
    Column("reply", Text, comment="what the node says of its answer"),
    Column("ended_by", Text, comment="why it ended without the node's answer"),
    one_of("asked_of", AskedOf),
    one_of("status", CancellationStatus),
    one_of("ended_by", CancellationEnd),
    CheckConstraint("(status = 'asked') = (answered_at IS NULL)", name="answered_once"),
    CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered_by_somebody"),
    Index("cancellation_requests_order_ix", "order_id"),
    Index("cancellation_requests_fulfilment_ix", "fulfilment_id"),
    Index("cancellation_requests_asked_ix", "asked_at", "id"),
    Index("cancellation_requests_node_ix", "node_id", "asked_at", "id"),
    Index("cancellation_requests_due_ix", "answer_by", postgresql_where=_OPEN),
)
