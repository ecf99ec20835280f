"""Orders and all that belongs to one: lines, fulfilments, shipments, timeline, decisions, exceptions."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dom.exceptions import OF_ANOTHER_VERSION, ExceptionSeverity, OwnerRole
from dom.network import ShippingMethod
from dom.orders.status import BEFORE_HAND_OVER, FINAL_ORDER, CarrierEventKind, FulfilmentStatus, OrderStatus
from store.enums import ExceptionStatus, ShipmentStatus
from store.tables.common import metadata, moment, one_of, serial

_OPEN_WORK = ", ".join(f"'{status}'" for status in sorted(BEFORE_HAND_OVER))
_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL_ORDER))
NO_PROMISE = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for the end of the promise of an order that has none, where orders are sorted by it."""
_PROMISE = f"COALESCE(promise_latest, '{NO_PROMISE:%Y-%m-%d} 00:00:00+00'::timestamp with time zone)"

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
    Column("ship_complete", Boolean, nullable=False, server_default=text("false")),
    Column("revision", Integer, nullable=False, server_default=text("0"), comment="how often it was edited"),
    Column("priority", Integer, comment="place among waiting orders, lower first; null: the channel's"),
    Column(
        "sourced_on_stock",
        Boolean,
        nullable=False,
        server_default=text("true"),
        comment="whether waiting units are given what comes in; the policy's strategy says so",
    ),
    moment("placed_at"),
    moment("captured_at", now=True),
    moment("promise_earliest", nullable=True),
    moment("promise_latest", nullable=True),
    moment("finished_at", nullable=True),
    UniqueConstraint("channel", "external_id"),
    one_of("status", OrderStatus),
    CheckConstraint("goods_total >= 0", name="total"),
    Index("orders_captured_ix", "captured_at", "id"),
    Index("orders_status_ix", "status", "captured_at", "id"),
    Index("orders_channel_ix", "channel", "captured_at", "id"),
    Index("orders_customer_ix", "customer_id", "captured_at", "id"),
    Index("orders_placed_ix", "placed_at", "id"),
    Index("orders_promise_ix", text(_PROMISE), "id"),
    Index("orders_open_ix", "captured_at", "id", postgresql_where=text(f"status NOT IN ({_FINAL})")),
    Index("orders_open_promise_ix", text(_PROMISE), "id", postgresql_where=text(f"status NOT IN ({_FINAL})")),
)

# `promised` is the end of the window that the customer was told last of the line; null: no day was ever told.
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
    moment("promised", nullable=True),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price >= 0", name="price"),
    CheckConstraint("cancelled >= 0 AND backordered >= 0 AND cancelled + backordered <= quantity", name="units"),
    Index("order_lines_sku_ix", "sku", "order_id"),
    Index("order_lines_backordered_ix", "sku", "order_id", postgresql_where=text("backordered > 0")),
    Index("order_lines_overdue_ix", "order_id", postgresql_where=text("backordered > 0 AND promised IS NOT NULL")),
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
    Column(
        "pickup_node", Text, ForeignKey("nodes.id"), comment="where a carrier brings it for the customer to collect it"
    ),
    Column("ship_day", Date, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    moment("ship_by"),
    moment("promise_earliest"),
    moment("promise_latest"),
    moment("released_at"),
    moment("updated_at", now=True),
    one_of("status", FulfilmentStatus),
    one_of("method", ShippingMethod),
    Index("fulfilments_order_ix", "order_id"),
    Index("fulfilments_status_ix", "status", "id"),
    Index("fulfilments_node_ix", "node_id", "status", "id"),
    Index(
        "fulfilments_pickup_node_ix", "pickup_node", "ship_by", "id", postgresql_where=text("pickup_node IS NOT NULL")
    ),
    Index("fulfilments_open_ix", "ship_by", "id", postgresql_where=text(f"status IN ({_OPEN_WORK})")),
    Index("fulfilments_closed_ix", "ship_by", "id", postgresql_where=text(f"status NOT IN ({_OPEN_WORK})")),
    Index("fulfilments_node_open_ix", "node_id", "ship_by", "id", postgresql_where=text(f"status IN ({_OPEN_WORK})")),
    Index(
        "fulfilments_node_closed_ix", "node_id", "ship_by", "id", postgresql_where=text(f"status NOT IN ({_OPEN_WORK})")
    ),
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
    Column("weight_grams", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("booking", JSONB, nullable=False),
    moment("booked_at"),
    moment("ended_at", nullable=True),
    UniqueConstraint("carrier", "tracking_number"),
    one_of("status", ShipmentStatus),
    CheckConstraint("parcels > 0 AND price >= 0 AND weight_grams >= 0", name="amounts"),
    Index("shipments_booked_ix", "booked_at", "id"),
    Index("shipments_status_ix", "status", "booked_at", "id"),
    Index("shipments_carrier_ix", "carrier", "booked_at", "id"),
    Index(
        "shipments_tracking_ix",
        "tracking_number",
        postgresql_using="gin",
        postgresql_ops={"tracking_number": "gin_trgm_ops"},
    ),
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
    serial(),
    Column("carrier", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("tracking_number", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    moment("occurred_at"),
    moment("recorded_at", now=True),
    Column(
        "notified_at",
        DateTime(timezone=True),
        comment="when the orders concerned were told, or nobody had to be; null: a repeat of the event tells them",
    ),
    ForeignKeyConstraint(["carrier", "tracking_number"], ["shipments.carrier", "shipments.tracking_number"]),
    UniqueConstraint("carrier", "event_id"),
    one_of("kind", CarrierEventKind),
    Index("carrier_events_tracking_ix", "carrier", "tracking_number", "occurred_at"),
)

# An order before and after its edits; the timeline says who made which, and why.
order_revisions = Table(
    "order_revisions",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="0: as it was captured"),
    Column("document", JSONB, nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    serial(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("data", JSONB, nullable=False),
    moment("occurred_at"),
    moment("recorded_at", now=True),
    UniqueConstraint("order_id", "business_key"),
    Index("timeline_kind_ix", "kind", "recorded_at"),
    Index("timeline_recorded_ix", "recorded_at", postgresql_using="brin"),
)

# What the planner saw stands with what it decided: a decision can be made again, and audited, at any time.
sourcing_decisions = Table(
    "sourcing_decisions",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column(
        "business_key", Text, nullable=False, comment="what asked for it: the order's nth sourcing, a re-optimisation"
    ),
    Column("policy_version", Integer, ForeignKey("policies.version"), nullable=False),
    Column("cause", Text, nullable=False),
    Column("first_fulfilment", Integer, nullable=False),
    Column("document", JSONB, nullable=False, comment="demand and decision"),
    Column("snapshot", JSONB, comment="stock, used capacity, SKUs and stock values the planner saw; null: before 0003"),
    Column("network", Text, ForeignKey("networks.digest"), comment="the nodes and tariffs it saw"),
    moment("decided_at"),
    moment("recorded_at", now=True),
    UniqueConstraint("order_id", "business_key"),
    Index("sourcing_decisions_decided_ix", "decided_at", "order_id", "attempt"),
    Index("sourcing_decisions_recorded_ix", "recorded_at", "order_id", "attempt"),
)

# Changes of unbegun work, and whether the order's process has taken them in; what they were the timeline says.
reoptimisations = Table(
    "reoptimisations",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="counted from 1 for each order"),
    moment("written_at", now=True),
    moment("applied_at", nullable=True),
)

exceptions = Table(
    "exceptions",
    metadata,
    serial(),
    Column("order_id", Text, ForeignKey("orders.id"), comment="null: no order's trouble, but a node's or a feed's"),
    Column("kind", Text, nullable=False),
    Column("business_key", Text, nullable=False, unique=True),
    Column("detail", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=text("'{}'"), comment="what the detail says, for programs"),
    Column("status", Text, nullable=False, server_default=ExceptionStatus.OPEN),
    Column("owner", Text),
    moment("opened_at", now=True),
    moment("closed_at", nullable=True),
    Column("version", Integer, nullable=False, server_default=text("1"), comment="counts every change of the row"),
    # The defaults are for what another version of the system opens, of a kind that this one does not know.
    Column("severity", Text, nullable=False, server_default=OF_ANOTHER_VERSION.severity),
    Column("owner_role", Text, nullable=False, server_default=OF_ANOTHER_VERSION.owner_role),
    Column(
        "due_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text(f"(now() + '{OF_ANOTHER_VERSION.due_in // 60:02}:00:00'::interval)"),
    ),
    moment("snoozed_until", nullable=True),
    Column("resolution", Text, comment="what a person did about it; null: it is open, or closed itself"),
    Column("resolved_by", Text),
    one_of("status", ExceptionStatus),
    one_of("severity", ExceptionSeverity),
    one_of("owner_role", OwnerRole),
    CheckConstraint("(resolution IS NULL) = (resolved_by IS NULL)", name="resolved_by_somebody"),
    CheckConstraint("resolution IS NULL OR status = 'closed'", name="resolved_is_closed"),
    Index("exceptions_open_ix", "kind", "opened_at", postgresql_where=text("status = 'open'")),
    Index("exceptions_open_kind_ix", "kind", "id", postgresql_where=text("status = 'open'")),
    Index("exceptions_open_severity_ix", "severity", "id", postgresql_where=text("status = 'open'")),
    Index("exceptions_open_role_ix", "owner_role", "id", postgresql_where=text("status = 'open'")),
    Index("exceptions_open_owner_ix", "owner", "id", postgresql_where=text("status = 'open'")),
    Index("exceptions_open_due_ix", "due_at", "id", postgresql_where=text("status = 'open'")),
    Index("exceptions_status_ix", "status", "id"),
    Index("exceptions_order_ix", "order_id", "id"),
    Index("exceptions_open_order_ix", "order_id", postgresql_where=text("status = 'open'")),
)

labels = Table(
    "labels",
    metadata,
    Column("shipment_id", Text, ForeignKey("shipments.id"), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
