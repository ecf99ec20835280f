"""Returns, what became of their units, and refunds."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from dom.orders.status import Disposition, ReturnStatus
from store.tables.common import metadata, moment, one_of, serial

returns = Table(
    "returns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("node_id", Text, ForeignKey("nodes.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("number", Integer, nullable=False, comment="counts the commands that changed it"),
    Column("reason", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("request_key", Text, nullable=True, comment="the caller's Idempotency-Key"),
    moment("requested_at"),
    moment("received_at", nullable=True),
    moment("finished_at", nullable=True),
    moment("expires_at", nullable=True),
    Column("released_by", Text, nullable=True, comment="the step that let go what had not come"),
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id"), comment="the parcel that its carrier brings back"),
    one_of("status", ReturnStatus),
    one_of("released_by", ("cancelled", "expired", "closed")),
    Index("returns_order_ix", "order_id"),
    Index("returns_fulfilment_ix", "fulfilment_id", unique=True, postgresql_where=text("fulfilment_id IS NOT NULL")),
    Index("returns_request_key_ix", "order_id", "request_key", unique=True),
    Index("returns_status_ix", "status", "id"),
    Index("returns_id_ix", "id", postgresql_using="gin", postgresql_ops={"id": "gin_trgm_ops"}),
)

return_lines = Table(
    "return_lines",
    metadata,
    Column("return_id", Text, ForeignKey("returns.id"), primary_key=True),
    Column("line_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("received", Integer, nullable=False, server_default=text("0")),
    Column("released", Integer, nullable=False, server_default=text("0")),
    ForeignKeyConstraint(["order_id", "line_id"], ["order_lines.order_id", "order_lines.line_id"]),
    CheckConstraint(
        "quantity > 0 AND received >= 0 AND released >= 0 AND received + released <= quantity", name="units"
    ),
    Index("return_lines_order_ix", "order_id", "line_id"),
)

return_dispositions = Table(
    "return_dispositions",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("line_id", Text, primary_key=True),
    Column("disposition", Text, primary_key=True),
    Column("quantity", Integer, nullable=False),
    ForeignKeyConstraint(["return_id", "line_id"], ["return_lines.return_id", "return_lines.line_id"]),
    one_of("disposition", Disposition),
    CheckConstraint("quantity > 0", name="quantity"),
)

refunds = Table(
    "refunds",
    metadata,
    serial(),
    Column("business_key", Text, nullable=False, unique=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("return_id", Text, ForeignKey("returns.id")),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    moment("recorded_at", now=True),
    CheckConstraint("amount >= 0", name="amount"),
    Index("refunds_order_ix", "order_id"),
)
