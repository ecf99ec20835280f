"""The schema. Every rule the database can hold, it holds: keys, foreign keys, and checks against impossible numbers.

`tests/store/test_migrations.py` compares these tables with what the migrations build.
"""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dom.network import NodeKind, ShippingMethod
from dom.status import CarrierEventKind, Disposition, FulfilmentStatus, OrderStatus, ReturnStatus
from store.kinds import (
    ExceptionStatus,
    LedgerKind,
    MessageStatus,
    ReservationKind,
    ReservationStatus,
    ShipmentStatus,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _one_of(column: str, values: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def _serial() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


# --- the network -----------------------------------------------------------------------------------------------------

nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("daily_capacity", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    _moment("updated_at", now=True),
    _one_of("kind", NodeKind),
    CheckConstraint("daily_capacity >= 0", name="capacity"),
)

skus = Table(
    "skus",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    _moment("updated_at", now=True),
)

tariffs = Table(
    "tariffs",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    _moment("updated_at", now=True),
)

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("published_by", Text, nullable=False),
    _moment("published_at", now=True),
    CheckConstraint("version > 0", name="version"),
)

# One row; every change of nodes, tariffs or policy raises it, so that a process knows when what it remembers is old.
reference_state = Table(
    "reference_state",
    metadata,
    Column("id", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id", name="single"),
)

places = Table(
    "places",
    metadata,
    Column("country", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
)

# --- stock -----------------------------------------------------------------------------------------------------------

stock = Table(
    "stock",
    metadata,
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("on_hand", Integer, nullable=False),
    Column("reserved", Integer, nullable=False, server_default=text("0")),
    Column("safety_stock", Integer, nullable=False, server_default=text("0")),
    _moment("updated_at", now=True),
    CheckConstraint("reserved >= 0", name="reserved_not_negative"),
    CheckConstraint("reserved <= on_hand", name="reserved_within_on_hand"),
    CheckConstraint("safety_stock >= 0", name="safety_not_negative"),
    Index("stock_sku_node_ix", "sku", "node_id"),
)

stock_ledger = Table(
    "stock_ledger",
    metadata,
    _serial(),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_hand_delta", Integer, nullable=False),
    Column("reserved_delta", Integer, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("order_id", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("actor", Text, nullable=False),
    _moment("occurred_at"),
    _moment("recorded_at", now=True),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    UniqueConstraint("business_key", "node_id", "sku"),
    _one_of("kind", LedgerKind),
    CheckConstraint("on_hand_delta <> 0 OR reserved_delta <> 0", name="moves_something"),
    Index("stock_ledger_node_sku_ix", "node_id", "sku", "id"),
)

reservations = Table(
    "reservations",
    metadata,
    _serial(),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id")),
    Column("line_id", Text),
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id", deferrable=True, initially="DEFERRED")),
    _moment("expires_at", nullable=True),
    _moment("created_at", now=True),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    UniqueConstraint("fulfilment_id", "line_id"),
    _one_of("kind", ReservationKind),
    _one_of("status", ReservationStatus),
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
)

# --- orders ----------------------------------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("goods_total", BigInteger, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    _moment("placed_at"),
    _moment("captured_at", now=True),
    _moment("promise_earliest", nullable=True),
    _moment("promise_latest", nullable=True),
    _moment("finished_at", nullable=True),
    UniqueConstraint("channel", "external_id"),
    _one_of("status", OrderStatus),
    CheckConstraint("goods_total >= 0", name="total"),
    Index("orders_captured_ix", "captured_at", "id"),
    Index("orders_status_ix", "status", "captured_at", "id"),
    Index("orders_channel_ix", "channel", "captured_at", "id"),
    Index("orders_customer_ix", "customer_id", "captured_at", "id"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("line_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sku", Text, ForeignKey("skus.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("cancelled", Integer, nullable=False, server_default=text("0")),
    Column("backordered", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price >= 0", name="price"),
    CheckConstraint("cancelled >= 0 AND backordered >= 0 AND cancelled + backordered <= quantity", name="units"),
    Index("order_lines_sku_ix", "sku", "order_id"),
    Index("order_lines_backordered_ix", "sku", "order_id", postgresql_where=text("backordered > 0")),
)

fulfilments = Table(
    "fulfilments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("node_id", Text, ForeignKey("nodes.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("carrier", Text),
    Column("ship_day", Date, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    _moment("ship_by"),
    _moment("promise_earliest"),
    _moment("promise_latest"),
    _moment("released_at"),
    _moment("updated_at", now=True),
    _one_of("status", FulfilmentStatus),
    _one_of("method", ShippingMethod),
    Index("fulfilments_order_ix", "order_id"),
    Index("fulfilments_status_ix", "status", "id"),
    Index("fulfilments_node_ix", "node_id", "status", "id"),
)

fulfilment_lines = Table(
    "fulfilment_lines",
    metadata,
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id"), primary_key=True),
    Column("line_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    ForeignKeyConstraint(["order_id", "line_id"], ["order_lines.order_id", "order_lines.line_id"]),
    CheckConstraint("quantity >= 0", name="quantity"),
)

# A shipment may carry the fulfilments of several orders of one customer.
shipments = Table(
    "shipments",
    metadata,
    Column("id", Text, primary_key=True, comment="the booking key"),
    Column("carrier", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("tracking_number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("parcels", Integer, nullable=False),
    Column("weight_grams", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("booking", JSONB, nullable=False),
    _moment("booked_at"),
    _moment("ended_at", nullable=True),
    UniqueConstraint("carrier", "tracking_number"),
    _one_of("status", ShipmentStatus),
    CheckConstraint("parcels > 0 AND price >= 0 AND weight_grams >= 0", name="amounts"),
)

shipment_fulfilments = Table(
    "shipment_fulfilments",
    metadata,
    Column("shipment_id", Text, ForeignKey("shipments.id"), primary_key=True),
    Column("fulfilment_id", Text, ForeignKey("fulfilments.id"), primary_key=True),
    Index("shipment_fulfilments_fulfilment_ix", "fulfilment_id"),
)

carrier_events = Table(
    "carrier_events",
    metadata,
    _serial(),
    Column("carrier", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("tracking_number", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    _moment("occurred_at"),
    _moment("recorded_at", now=True),
    ForeignKeyConstraint(["carrier", "tracking_number"], ["shipments.carrier", "shipments.tracking_number"]),
    UniqueConstraint("carrier", "event_id"),
    _one_of("kind", CarrierEventKind),
    Index("carrier_events_tracking_ix", "carrier", "tracking_number", "occurred_at"),
)

timeline = Table(
    "timeline",
    metadata,
    _serial(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("data", JSONB, nullable=False),
    _moment("occurred_at"),
    _moment("recorded_at", now=True),
    UniqueConstraint("order_id", "business_key"),
)

sourcing_decisions = Table(
    "sourcing_decisions",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("policy_version", Integer, ForeignKey("policies.version"), nullable=False),
    Column("cause", Text, nullable=False),
    Column("first_fulfilment", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    _moment("decided_at"),
)

messages = Table(
    "messages",
    metadata,
    _serial(),
    Column("business_key", Text, nullable=False, unique=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("occasion", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("medium", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("context", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    _moment("created_at", now=True),
    _moment("sent_at", nullable=True),
    _one_of("status", MessageStatus),
    _one_of("medium", ("mail", "webhook")),
    Index("messages_occasion_ix", "order_id", "occasion"),
)

exceptions = Table(
    "exceptions",
    metadata,
    _serial(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("business_key", Text, nullable=False, unique=True),
    Column("detail", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=ExceptionStatus.OPEN),
    Column("owner", Text),
    _moment("opened_at", now=True),
    _moment("closed_at", nullable=True),
    _one_of("status", ExceptionStatus),
    Index("exceptions_open_ix", "kind", "opened_at", postgresql_where=text("status = 'open'")),
)

# --- returns ---------------------------------------------------------------------------------------------------------

returns = Table(
    "returns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("node_id", Text, ForeignKey("nodes.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    _moment("requested_at"),
    _moment("received_at", nullable=True),
    _moment("finished_at", nullable=True),
    _one_of("status", ReturnStatus),
    Index("returns_order_ix", "order_id"),
    Index("returns_status_ix", "status", "id"),
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
    ForeignKeyConstraint(["order_id", "line_id"], ["order_lines.order_id", "order_lines.line_id"]),
    CheckConstraint("quantity > 0 AND received >= 0 AND received <= quantity", name="units"),
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
    _one_of("disposition", Disposition),
    CheckConstraint("quantity > 0", name="quantity"),
)

refunds = Table(
    "refunds",
    metadata,
    _serial(),
    Column("business_key", Text, nullable=False, unique=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("return_id", Text, ForeignKey("returns.id")),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _moment("recorded_at", now=True),
    CheckConstraint("amount >= 0", name="amount"),
    Index("refunds_order_ix", "order_id"),
)

labels = Table(
    "labels",
    metadata,
    Column("shipment_id", Text, ForeignKey("shipments.id"), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
