"""Stock: balances, the ledger behind them, reservations, and nodes' capacity by day."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.kinds import LedgerKind, ReservationKind, ReservationStatus
from store.tables.common import metadata, moment, one_of, serial

stock = Table(
    "stock",
    metadata,
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("on_hand", Integer, nullable=False),
    Column("reserved", Integer, nullable=False, server_default=text("0")),
    Column("safety_stock", Integer, nullable=False, server_default=text("0")),
    moment("updated_at", now=True),
    CheckConstraint("reserved >= 0", name="reserved_not_negative"),
    CheckConstraint("reserved <= on_hand", name="reserved_within_on_hand"),
    CheckConstraint("safety_stock >= 0", name="safety_not_negative"),
    Index("stock_sku_node_ix", "sku", "node_id"),
)

stock_ledger = Table(
    "stock_ledger",
    metadata,
    serial(),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_hand_delta", Integer, nullable=False),
    Column("reserved_delta", Integer, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("order_id", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("actor", Text, nullable=False),
    moment("occurred_at"),
    moment("recorded_at", now=True),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    UniqueConstraint("business_key", "node_id", "sku"),
    one_of("kind", LedgerKind),
    CheckConstraint("on_hand_delta <> 0 OR reserved_delta <> 0", name="moves_something"),
    Index("stock_ledger_node_sku_ix", "node_id", "sku", "id"),
)

reservations = Table(
    "reservations",
    metadata,
    serial(),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id")),
    Column("line_id", Text),
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id", deferrable=True, initially="DEFERRED")),
    moment("expires_at", nullable=True),
    moment("created_at", now=True),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    UniqueConstraint("fulfilment_id", "line_id"),
    one_of("kind", ReservationKind),
    one_of("status", ReservationStatus),
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    CheckConstraint("status <> 'active' OR quantity > 0", name="active_holds_units"),
    CheckConstraint("kind <> 'firm' OR (order_id IS NOT NULL AND fulfilment_id IS NOT NULL)", name="firm_has_order"),
    CheckConstraint("kind <> 'soft' OR expires_at IS NOT NULL", name="soft_expires"),
    Index("reservations_active_ix", "node_id", "sku", postgresql_where=text("status = 'active'")),
)

node_days = Table(
    "node_days",
    metadata,
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", Integer, nullable=False),
    CheckConstraint("used >= 0", name="used_not_negative"),
    Index("node_days_day_ix", "day"),
)
