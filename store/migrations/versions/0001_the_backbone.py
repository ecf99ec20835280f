"""the backbone

Revision: 0001
Revises: None
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "nodes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("daily_capacity", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('distribution_centre', 'warehouse', 'store', 'supplier')", name=op.f("nodes_kind_known_check")
        ),
        sa.CheckConstraint("daily_capacity >= 0", name=op.f("nodes_capacity_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("nodes_pkey")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("goods_total", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("promise_earliest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_latest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('accepted', 'backordered', 'in_fulfilment', 'part_shipped', 'shipped', 'delivered', 'cancelled')",
            name=op.f("orders_status_known_check"),
        ),
        sa.CheckConstraint("goods_total >= 0", name=op.f("orders_total_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("orders_pkey")),
        sa.UniqueConstraint("channel", "external_id", name=op.f("orders_channel_external_id_key")),
    )
    op.create_index("orders_captured_ix", "orders", ["captured_at", "id"], unique=False)
    op.create_index("orders_channel_ix", "orders", ["channel", "captured_at", "id"], unique=False)
    op.create_index("orders_customer_ix", "orders", ["customer_id", "captured_at", "id"], unique=False)
    op.create_index("orders_status_ix", "orders", ["status", "captured_at", "id"], unique=False)
    op.create_table(
        "places",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("country", "code", name=op.f("places_pkey")),
    )
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("policies_version_check")),
        sa.PrimaryKeyConstraint("version", name=op.f("policies_pkey")),
    )
    op.create_table(
        "reference_state",
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id", name=op.f("reference_state_single_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("reference_state_pkey")),
    )
    op.create_table(
        "shipments",
        sa.Column("id", sa.Text(), nullable=False, comment="the booking key"),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booking", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('booked', 'voided', 'in_transit', 'delivered', 'lost', 'returned_to_sender')",
            name=op.f("shipments_status_known_check"),
        ),
        sa.CheckConstraint("parcels > 0 AND price >= 0 AND weight_grams >= 0", name=op.f("shipments_amounts_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("shipments_pkey")),
        sa.UniqueConstraint("carrier", "tracking_number", name=op.f("shipments_carrier_tracking_number_key")),
    )
    op.create_table(
        "skus",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("skus_pkey")),
    )
    op.create_table(
        "tariffs",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("carrier", name=op.f("tariffs_pkey")),
    )
    op.create_table(
        "carrier_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivery_failed', 'delivered', 'lost', 'returned_to_sender')",
            name=op.f("carrier_events_kind_known_check"),
        ),
        sa.ForeignKeyConstraint(
            ["carrier", "tracking_number"],
            ["shipments.carrier", "shipments.tracking_number"],
            name=op.f("carrier_events_carrier_tracking_number_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("carrier_events_pkey")),
        sa.UniqueConstraint("carrier", "event_id", name=op.f("carrier_events_carrier_event_id_key")),
    )
    op.create_index(
        "carrier_events_tracking_ix", "carrier_events", ["carrier", "tracking_number", "occurred_at"], unique=False
    )
    op.create_table(
        "exceptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("exceptions_status_known_check")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("exceptions_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("exceptions_pkey")),
        sa.UniqueConstraint("business_key", name=op.f("exceptions_business_key_key")),
    )
    op.create_index(
        "exceptions_open_ix",
        "exceptions",
        ["kind", "opened_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "fulfilments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("ship_day", sa.Date(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("ship_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promise_earliest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promise_latest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "method IN ('economy', 'standard', 'express', 'pickup')", name=op.f("fulfilments_method_known_check")
        ),
        sa.CheckConstraint(
            "status IN ('released', 'accepted', 'picked', 'packed', 'booked', 'ready_for_collection', 'handed_over', 'delivered', 'collected', 'rejected', 'cancelled', 'lost', 'returned_to_sender')",
            name=op.f("fulfilments_status_known_check"),
        ),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fulfilments_node_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fulfilments_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("fulfilments_pkey")),
    )
    op.create_index("fulfilments_node_ix", "fulfilments", ["node_id", "status", "id"], unique=False)
    op.create_index("fulfilments_order_ix", "fulfilments", ["order_id"], unique=False)
    op.create_index("fulfilments_status_ix", "fulfilments", ["status", "id"], unique=False)
    op.create_table(
        "labels",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("labels_shipment_id_fkey")),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("labels_pkey")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("medium IN ('mail', 'webhook')", name=op.f("messages_medium_known_check")),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'sent', 'uncertain', 'failed')", name=op.f("messages_status_known_check")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("messages_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("messages_pkey")),
        sa.UniqueConstraint("business_key", name=op.f("messages_business_key_key")),
    )
    op.create_index("messages_occasion_ix", "messages", ["order_id", "occasion"], unique=False)
    op.create_table(
        "node_days",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("node_days_used_not_negative_check")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("node_days_node_id_fkey")),
        sa.PrimaryKeyConstraint("node_id", "day", name=op.f("node_days_pkey")),
    )
    op.create_index("node_days_day_ix", "node_days", ["day"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("backordered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "cancelled >= 0 AND backordered >= 0 AND cancelled + backordered <= quantity",
            name=op.f("order_lines_units_check"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("order_lines_quantity_check")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("order_lines_price_check")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("order_lines_order_id_fkey")),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name=op.f("order_lines_sku_fkey")),
        sa.PrimaryKeyConstraint("order_id", "line_id", name=op.f("order_lines_pkey")),
    )
    op.create_index(
        "order_lines_backordered_ix",
        "order_lines",
        ["sku", "order_id"],
        unique=False,
        postgresql_where=sa.text("backordered > 0"),
    )
    op.create_index("order_lines_sku_ix", "order_lines", ["sku", "order_id"], unique=False)
    op.create_table(
        "returns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('requested', 'received', 'refunded')", name=op.f("returns_status_known_check")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("returns_node_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("returns_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("returns_pkey")),
    )
    op.create_index("returns_order_ix", "returns", ["order_id"], unique=False)
    op.create_index("returns_status_ix", "returns", ["status", "id"], unique=False)
    op.create_table(
        "sourcing_decisions",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("first_fulfilment", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("sourcing_decisions_order_id_fkey")),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policies.version"], name=op.f("sourcing_decisions_policy_version_fkey")
        ),
        sa.PrimaryKeyConstraint("order_id", "attempt", name=op.f("sourcing_decisions_pkey")),
    )
    op.create_table(
        "stock",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("safety_stock", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("reserved <= on_hand", name=op.f("stock_reserved_within_on_hand_check")),
        sa.CheckConstraint("reserved >= 0", name=op.f("stock_reserved_not_negative_check")),
        sa.CheckConstraint("safety_stock >= 0", name=op.f("stock_safety_not_negative_check")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("stock_node_id_fkey")),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name=op.f("stock_sku_fkey")),
        sa.PrimaryKeyConstraint("node_id", "sku", name=op.f("stock_pkey")),
    )
    op.create_index("stock_sku_node_ix", "stock", ["sku", "node_id"], unique=False)
    op.create_table(
        "timeline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("timeline_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("timeline_pkey")),
        sa.UniqueConstraint("order_id", "business_key", name=op.f("timeline_order_id_business_key_key")),
    )
    op.create_table(
        "fulfilment_lines",
        sa.Column("fulfilment_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("fulfilment_lines_quantity_check")),
        sa.ForeignKeyConstraint(
            ["fulfilment_id"], ["fulfilments.id"], name=op.f("fulfilment_lines_fulfilment_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "line_id"],
            ["order_lines.order_id", "order_lines.line_id"],
            name=op.f("fulfilment_lines_order_id_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("fulfilment_id", "line_id", name=op.f("fulfilment_lines_pkey")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("refunds_amount_check")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("refunds_order_id_fkey")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("refunds_return_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("refunds_pkey")),
        sa.UniqueConstraint("business_key", name=op.f("refunds_business_key_key")),
    )
    op.create_index("refunds_order_ix", "refunds", ["order_id"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("line_id", sa.Text(), nullable=True),
        sa.Column("fulfilment_id", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind <> 'firm' OR (order_id IS NOT NULL AND fulfilment_id IS NOT NULL)",
            name=op.f("reservations_firm_has_order_check"),
        ),
        sa.CheckConstraint("kind <> 'soft' OR expires_at IS NOT NULL", name=op.f("reservations_soft_expires_check")),
        sa.CheckConstraint("kind IN ('soft', 'firm')", name=op.f("reservations_kind_known_check")),
        sa.CheckConstraint("status <> 'active' OR quantity > 0", name=op.f("reservations_active_holds_units_check")),
        sa.CheckConstraint(
            "status IN ('active', 'released', 'consumed')", name=op.f("reservations_status_known_check")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("reservations_quantity_not_negative_check")),
        sa.ForeignKeyConstraint(
            ["fulfilment_id"],
            ["fulfilments.id"],
            name=op.f("reservations_fulfilment_id_fkey"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["node_id", "sku"], ["stock.node_id", "stock.sku"], name=op.f("reservations_node_id_sku_fkey")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("reservations_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reservations_pkey")),
        sa.UniqueConstraint("fulfilment_id", "line_id", name=op.f("reservations_fulfilment_id_line_id_key")),
    )
    op.create_index(
        "reservations_active_ix",
        "reservations",
        ["node_id", "sku"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "return_lines",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND received >= 0 AND received <= quantity", name=op.f("return_lines_units_check")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "line_id"],
            ["order_lines.order_id", "order_lines.line_id"],
            name=op.f("return_lines_order_id_line_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("return_lines_return_id_fkey")),
        sa.PrimaryKeyConstraint("return_id", "line_id", name=op.f("return_lines_pkey")),
    )
    op.create_index("return_lines_order_ix", "return_lines", ["order_id", "line_id"], unique=False)
    op.create_table(
        "shipment_fulfilments",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("fulfilment_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fulfilment_id"], ["fulfilments.id"], name=op.f("shipment_fulfilments_fulfilment_id_fkey")
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("shipment_fulfilments_shipment_id_fkey")),
        sa.PrimaryKeyConstraint("shipment_id", "fulfilment_id", name=op.f("shipment_fulfilments_pkey")),
    )
    op.create_index("shipment_fulfilments_fulfilment_ix", "shipment_fulfilments", ["fulfilment_id"], unique=False)
    op.create_table(
        "stock_ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_hand_delta", sa.Integer(), nullable=False),
        sa.Column("reserved_delta", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('opening', 'receipt', 'adjustment', 'reserve', 'release', 'ship', 'restock')",
            name=op.f("stock_ledger_kind_known_check"),
        ),
        sa.CheckConstraint(
            "on_hand_delta <> 0 OR reserved_delta <> 0", name=op.f("stock_ledger_moves_something_check")
        ),
        sa.ForeignKeyConstraint(
            ["node_id", "sku"], ["stock.node_id", "stock.sku"], name=op.f("stock_ledger_node_id_sku_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("stock_ledger_pkey")),
        sa.UniqueConstraint("business_key", "node_id", "sku", name=op.f("stock_ledger_business_key_node_id_sku_key")),
    )
    op.create_index("stock_ledger_node_sku_ix", "stock_ledger", ["node_id", "sku", "id"], unique=False)
    op.create_table(
        "return_dispositions",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('restock', 'refurbish', 'quarantine', 'scrap')",
            name=op.f("return_dispositions_disposition_known_check"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("return_dispositions_quantity_check")),
        sa.ForeignKeyConstraint(
            ["return_id", "line_id"],
            ["return_lines.return_id", "return_lines.line_id"],
            name=op.f("return_dispositions_return_id_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("return_id", "line_id", "disposition", name=op.f("return_dispositions_pkey")),
    )
    op.execute("INSERT INTO reference_state (version) VALUES (1)")


def downgrade() -> None:
    """Take back."""
    op.drop_table("return_dispositions")
    op.drop_index("stock_ledger_node_sku_ix", table_name="stock_ledger")
    op.drop_table("stock_ledger")
    op.drop_index("shipment_fulfilments_fulfilment_ix", table_name="shipment_fulfilments")
    op.drop_table("shipment_fulfilments")
    op.drop_index("return_lines_order_ix", table_name="return_lines")
    op.drop_table("return_lines")
    op.drop_index("reservations_active_ix", table_name="reservations", postgresql_where=sa.text("status = 'active'"))
    op.drop_table("reservations")
    op.drop_index("refunds_order_ix", table_name="refunds")
    op.drop_table("refunds")
    op.drop_table("fulfilment_lines")
    op.drop_table("timeline")
    op.drop_index("stock_sku_node_ix", table_name="stock")
    op.drop_table("stock")
    op.drop_table("sourcing_decisions")
    op.drop_index("returns_status_ix", table_name="returns")
    op.drop_index("returns_order_ix", table_name="returns")
    op.drop_table("returns")
    op.drop_index("order_lines_sku_ix", table_name="order_lines")
    op.drop_index("order_lines_backordered_ix", table_name="order_lines", postgresql_where=sa.text("backordered > 0"))
    op.drop_table("order_lines")
    op.drop_index("node_days_day_ix", table_name="node_days")
    op.drop_table("node_days")
    op.drop_index("messages_occasion_ix", table_name="messages")
    op.drop_table("messages")
    op.drop_table("labels")
    op.drop_index("fulfilments_status_ix", table_name="fulfilments")
    op.drop_index("fulfilments_order_ix", table_name="fulfilments")
    op.drop_index("fulfilments_node_ix", table_name="fulfilments")
    op.drop_table("fulfilments")
    op.drop_index("exceptions_open_ix", table_name="exceptions", postgresql_where=sa.text("status = 'open'"))
    op.drop_table("exceptions")
    op.drop_index("carrier_events_tracking_ix", table_name="carrier_events")
    op.drop_table("carrier_events")
    op.drop_table("tariffs")
    op.drop_table("skus")
    op.drop_table("shipments")
    op.drop_table("reference_state")
    op.drop_table("policies")
    op.drop_table("places")
    op.drop_index("orders_status_ix", table_name="orders")
    op.drop_index("orders_customer_ix", table_name="orders")
    op.drop_index("orders_channel_ix", table_name="orders")
    op.drop_index("orders_captured_ix", table_name="orders")
    op.drop_table("orders")
    op.drop_table("nodes")
