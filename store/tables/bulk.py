"""Bulk runs: one action on many orders."""

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from dom.orders.bulk import BulkOutcome, BulkStatus
from store.tables.common import metadata, moment, one_of

bulk_runs = Table(
    "bulk_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False, server_default=BulkStatus.QUEUED),
    Column("action", JSONB, nullable=False),
    Column("selection", JSONB, nullable=False, comment="as it was asked for"),
    Column("reason", Text, nullable=False),
    Column("orders", Integer, nullable=False, comment="orders that were selected"),
    Column("requested_by", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False, comment="of who asked, as what he may release depends on them"),
    Column("channels", ARRAY(Text), comment="the channels that who asked is limited to; null: to none"),
    Column("nodes", ARRAY(Text), comment="the nodes that who asked is limited to; null: to none"),
    Column("request", Text, comment="the Idempotency-Key"),
    Column("request_hash", Text, nullable=False),
    Column("stopped_by", Text),
    moment("created_at", now=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    one_of("status", BulkStatus),
    CheckConstraint("(status = 'done') = (finished_at IS NOT NULL)", name="done_has_end"),
    Index("bulk_runs_created_ix", "created_at", "id"),
    Index("bulk_runs_open_ix", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
    Index("bulk_runs_request_ix", "requested_by", "request", unique=True, postgresql_where=text("request IS NOT NULL")),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    Column("bulk_id", Text, ForeignKey("bulk_runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("order_id", Text, nullable=False, comment="as it was named; of one that is not there nothing is done"),
    Column("outcome", Text, comment="null: nothing was done yet"),
    Column("detail", Text, nullable=False, server_default="", comment="what was done, or why it was not"),
    Column("problem", Text, comment="of one that was refused: the type of the problem"),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    moment("done_at", nullable=True),
    one_of("outcome", BulkOutcome),
    CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name="outcome_has_time"),
    Index("bulk_items_order_ix", "bulk_id", "order_id", unique=True),
    Index("bulk_items_open_ix", "bulk_id", "position", postgresql_where=text("outcome IS NULL")),
)
