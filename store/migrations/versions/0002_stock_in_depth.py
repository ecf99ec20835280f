"""stock in depth

Revision: 0002
Revises: 0001
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

LEDGER_KINDS = (
    "'opening', 'receipt', 'adjustment', 'count', 'condition', 'safety', 'reserve', 'release', 'soft_reserve', "
    "'soft_release', 'soft_convert', 'soft_expire', 'ship', 'restock', 'transfer_out', 'transfer_in', 'reconcile', "
    "'rule'"
)
LEDGER_KINDS_BEFORE = "'opening', 'receipt', 'adjustment', 'reserve', 'release', 'ship', 'restock'"
MOVES = (
    "kind IN ('reconcile', 'safety', 'rule') OR on_hand_delta <> 0 OR damaged_delta <> 0 OR quarantine_delta <> 0 "
    "OR reserved_delta <> 0 OR soft_delta <> 0 OR safety_delta <> 0 OR promise_safety_delta <> 0"
)
CHECKS = {
    ("stock", "reserved_within_on_hand"): ("reserved + reserved_soft <= on_hand", "reserved <= on_hand"),
    ("stock", "safety_not_negative"): ("safety_stock >= 0 AND promise_safety >= 0", "safety_stock >= 0"),
    ("stock", "reserved_soft_not_negative"): ("reserved_soft >= 0", None),
    ("stock", "conditions_not_negative"): ("damaged >= 0 AND quarantine >= 0", None),
    ("stock_ledger", "kind_known"): (f"kind IN ({LEDGER_KINDS})", f"kind IN ({LEDGER_KINDS_BEFORE})"),
    ("stock_ledger", "moves_something"): (MOVES, "on_hand_delta <> 0 OR reserved_delta <> 0"),
    ("reservations", "status_known"): (
        "status IN ('active', 'released', 'consumed', 'converted', 'expired')",
        "status IN ('active', 'released', 'consumed')",
    ),
    ("reservations", "soft_expires"): (
        "kind <> 'soft' OR (expires_at IS NOT NULL AND soft_id IS NOT NULL)",
        "kind <> 'soft' OR expires_at IS NOT NULL",
    ),
}
"""What the database refuses: the rule from now on, and the one before."""

FUNCTIONS = Path(__file__).parent.parent / "sql" / "0002_functions.sql"

SAFETY_SO_FAR = """
INSERT INTO stock_ledger (node_id, sku, kind, safety_delta, business_key, reason, actor, occurred_at)
SELECT node_id, sku, 'safety', safety_stock, 'migration/0002', 'as it was before the ledger kept it', 'migration', now()
FROM stock WHERE safety_stock > 0
"""
"""Safety stock was in no ledger before: without an entry of what it is, the books would not agree."""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: write another entry' USING ERRCODE = 'restrict_violation';
END $$
"""


def _check(table: str, name: str, rule: str | None, before: str | None) -> None:
    constraint = op.f(f"{table}_{name}_check")
    if before is not None:
        op.drop_constraint(constraint, table, type_="check")
    if rule is not None:
        op.create_check_constraint(constraint, table, rule)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "channels",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "priority", sa.Integer(), server_default=sa.text("100"), nullable=False, comment="lower is served first"
        ),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("webhook_secret", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("channels_pkey")),
    )
    op.create_table(
        "count_marks",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "node_id", "sku", name=op.f("count_marks_pkey")),
    )
    op.create_table(
        "feed_cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("feed_cursors_pkey")),
    )
    op.create_table(
        "soft_reservations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column(
            "owner", sa.Text(), nullable=False, comment="whose units they are: a cart, a checkout, a waiting order"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column(
            "document",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what was asked and what was promised",
        ),
        sa.Column("order_id", sa.Text(), nullable=True, comment="the order it became"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'released', 'converted', 'expired')",
            name=op.f("soft_reservations_status_known_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("soft_reservations_pkey")),
    )
    op.create_index(
        "soft_reservations_expiry_ix",
        "soft_reservations",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "soft_reservations_owner_ix",
        "soft_reservations",
        ["channel", "owner"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "stock_imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("all_or_nothing", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="rows received"),
        sa.Column(
            "next_row", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="where applying goes on"
        ),
        sa.Column(
            "outcomes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="rows by what became of them",
        ),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("upload", sa.Text(), nullable=False, comment="which upload may add rows: the last one that began"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('counts', 'deltas')", name=op.f("stock_imports_kind_known_check")),
        sa.CheckConstraint(
            "status IN ('receiving', 'queued', 'applying', 'done', 'refused', 'failed')",
            name=op.f("stock_imports_status_known_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("stock_imports_pkey")),
    )
    op.create_index(
        "stock_imports_open_ix",
        "stock_imports",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('receiving', 'queued', 'applying')"),
    )
    op.create_index("stock_imports_created_ix", "stock_imports", ["created_at", "id"], unique=False)
    op.create_table(
        "channel_levels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["channel"], ["channels.id"], name=op.f("channel_levels_channel_fkey")),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name=op.f("channel_levels_sku_fkey")),
        sa.PrimaryKeyConstraint("channel", "sku", name=op.f("channel_levels_pkey")),
    )
    op.create_table(
        "channel_rules",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), server_default="", nullable=False),
        sa.Column("node_id", sa.Text(), server_default="", nullable=False),
        sa.Column("buffer", sa.Integer(), nullable=False, comment="units of each balance kept from the channel"),
        sa.Column("share", sa.Integer(), nullable=False, comment="percent of what is left that the channel may have"),
        sa.Column("excluded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("buffer >= 0", name=op.f("channel_rules_buffer_not_negative_check")),
        sa.CheckConstraint("share BETWEEN 0 AND 100", name=op.f("channel_rules_share_is_percent_check")),
        sa.ForeignKeyConstraint(["channel"], ["channels.id"], name=op.f("channel_rules_channel_fkey")),
        sa.PrimaryKeyConstraint("channel", "sku", "node_id", name=op.f("channel_rules_pkey")),
    )
    op.create_table(
        "inbound",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin_node", sa.Text(), nullable=True, comment="of a transfer: where the units leave"),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False, comment="percent of the units that is counted on"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'transfer') = (origin_node IS NOT NULL)", name=op.f("inbound_transfer_has_origin_check")
        ),
        sa.CheckConstraint("kind IN ('purchase_order', 'transfer', 'return')", name=op.f("inbound_kind_known_check")),
        sa.CheckConstraint(
            "status IN ('announced', 'in_transit', 'received', 'cancelled')", name=op.f("inbound_status_known_check")
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 100", name=op.f("inbound_confidence_is_percent_check")),
        sa.CheckConstraint("origin_node <> node_id", name=op.f("inbound_somewhere_else_check")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("inbound_node_id_fkey")),
        sa.ForeignKeyConstraint(["origin_node"], ["nodes.id"], name=op.f("inbound_origin_node_fkey")),
        sa.PrimaryKeyConstraint("reference", name=op.f("inbound_pkey")),
    )
    op.create_index(
        "inbound_open_ix",
        "inbound",
        ["node_id", "due_on"],
        unique=False,
        postgresql_where=sa.text("status IN ('announced', 'in_transit')"),
    )
    op.create_index("inbound_due_ix", "inbound", ["due_on", "reference"], unique=False)
    op.create_table(
        "stock_import_rows",
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True, comment="the row as it came, if it could not be read"),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True, comment="the stable type of what is wrong with it"),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["stock_imports.id"], name=op.f("stock_import_rows_import_id_fkey")),
        sa.CheckConstraint(
            "outcome IN ('applied', 'short', 'repeated', 'late', 'superseded', 'replaced', 'refused')",
            name=op.f("stock_import_rows_outcome_known_check"),
        ),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("stock_import_rows_pkey")),
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.02},
    )
    op.create_table(
        "inbound_lines",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("quantity > 0 AND received >= 0", name=op.f("inbound_lines_units_check")),
        sa.ForeignKeyConstraint(["reference"], ["inbound.reference"], name=op.f("inbound_lines_reference_fkey")),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name=op.f("inbound_lines_sku_fkey")),
        sa.PrimaryKeyConstraint("reference", "sku", name=op.f("inbound_lines_pkey")),
    )
    op.create_index("inbound_lines_sku_ix", "inbound_lines", ["sku"], unique=False)
    op.create_table(
        "inbound_receipts",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("inbound_receipts_node_id_fkey")),
        sa.ForeignKeyConstraint(["reference"], ["inbound.reference"], name=op.f("inbound_receipts_reference_fkey")),
        sa.PrimaryKeyConstraint("reference", "key", name=op.f("inbound_receipts_pkey")),
    )
    op.alter_column(
        "exceptions",
        "order_id",
        existing_type=sa.TEXT(),
        nullable=True,
        comment="null: no order's trouble, but a node's or a feed's",
    )
    op.add_column(
        "node_days",
        sa.Column("service", sa.Text(), server_default="", nullable=False, comment="empty: the node's day as a whole"),
    )
    op.add_column("reservations", sa.Column("soft_id", sa.Text(), nullable=True))
    op.drop_constraint(op.f("reservations_fulfilment_id_line_id_key"), "reservations", type_="unique")
    op.create_index(
        "reservations_fulfilment_ix",
        "reservations",
        ["fulfilment_id", "line_id"],
        unique=True,
        postgresql_where=sa.text("fulfilment_id IS NOT NULL"),
    )
    op.drop_index("reservations_active_ix", table_name="reservations", postgresql_where=sa.text("status = 'active'"))
    op.create_index(
        "reservations_active_ix",
        "reservations",
        ["node_id", "sku"],
        unique=False,
        postgresql_where=sa.text("kind = 'firm' AND status = 'active'"),
    )
    op.create_index(
        "reservations_of_soft_ix",
        "reservations",
        ["soft_id"],
        unique=False,
        postgresql_where=sa.text("soft_id IS NOT NULL"),
    )
    op.create_index(
        "reservations_soft_ix",
        "reservations",
        ["node_id", "sku", "expires_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'soft' AND status = 'active'"),
    )
    op.create_foreign_key(op.f("reservations_soft_id_fkey"), "reservations", "soft_reservations", ["soft_id"], ["id"])
    op.add_column(
        "stock",
        sa.Column(
            "damaged",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="units in the node that cannot be sold",
        ),
    )
    op.add_column(
        "stock",
        sa.Column(
            "quarantine",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="units in the node that wait for a decision",
        ),
    )
    op.add_column(
        "stock",
        sa.Column(
            "reserved_soft",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="soft: held for carts and waiting orders; lapsed ones too, until they are reclaimed",
        ),
    )
    op.add_column(
        "stock",
        sa.Column(
            "promise_safety",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="units never promised to a channel; what OFL may still take of them covers a wrong count",
        ),
    )
    op.add_column("stock", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column(
        "stock",
        "on_hand",
        existing_type=sa.INTEGER(),
        comment="sellable units in the node, reserved ones among them",
        existing_nullable=False,
    )
    op.alter_column(
        "stock",
        "reserved",
        existing_type=sa.INTEGER(),
        comment="firm: taken for order lines, not yet handed over",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.alter_column(
        "stock",
        "safety_stock",
        existing_type=sa.INTEGER(),
        comment="units OFL never takes",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.add_column("stock_ledger", sa.Column("damaged_delta", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "stock_ledger", sa.Column("quarantine_delta", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("stock_ledger", sa.Column("soft_delta", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("stock_ledger", sa.Column("safety_delta", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "stock_ledger", sa.Column("promise_safety_delta", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("stock_ledger", sa.Column("reason_code", sa.Text(), nullable=True))
    op.add_column(
        "stock_ledger",
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
            comment="what tells a reader of changes that nothing older is still to be committed",
        ),
    )
    op.create_index(
        "skus_release_ix",
        "skus",
        [sa.literal_column("(document ->> 'release_on')")],
        unique=False,
        postgresql_where=sa.text("(document ->> 'release_on') IS NOT NULL"),
    )
    op.create_index("stock_ledger_transaction_ix", "stock_ledger", ["transaction", "id"], unique=False)
    op.create_index(
        "stock_ledger_moved_ix",
        "stock_ledger",
        ["node_id", "sku", "occurred_at"],
        unique=False,
        postgresql_include=["on_hand_delta"],
        postgresql_where=sa.text("on_hand_delta <> 0"),
    )
    for column in ("on_hand_delta", "reserved_delta"):
        op.alter_column("stock_ledger", column, server_default=sa.text("0"))
    op.add_column("orders", sa.Column("ship_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column(
        "orders",
        sa.Column(
            "priority",
            sa.Integer(),
            nullable=True,
            comment="place among waiting orders, lower first; null: the channel's",
        ),
    )
    op.create_index(
        "soft_reservations_waiting_ix",
        "soft_reservations",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'active' AND id LIKE 'waiting/%'"),
    )
    op.drop_constraint(op.f("node_days_pkey"), "node_days", type_="primary")
    op.create_primary_key(op.f("node_days_pkey"), "node_days", ["node_id", "day", "service"])
    for (table, name), (rule, before) in CHECKS.items():
        _check(table, name, rule, before)
    op.execute(SAFETY_SO_FAR)
    op.execute("ALTER TABLE stock SET (fillfactor = 70)")
    op.execute(APPEND_ONLY)
    op.get_bind().exec_driver_sql(FUNCTIONS.read_text())
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER append_only ON stock_ledger")
    op.execute("DELETE FROM stock_ledger WHERE kind = 'safety'")
    op.execute("DROP FUNCTION refuse_change, take_soft, take_one_soft, reserve_firm, reclaim_lapsed, allowed_units")
    op.execute("ALTER TABLE stock RESET (fillfactor)")
    for (table, name), (rule, before) in CHECKS.items():
        _check(table, name, before, rule)
    for column in ("on_hand_delta", "reserved_delta"):
        op.alter_column("stock_ledger", column, server_default=None)
    op.drop_constraint(op.f("node_days_pkey"), "node_days", type_="primary")
    op.create_primary_key(op.f("node_days_pkey"), "node_days", ["node_id", "day"])
    op.drop_index("stock_ledger_moved_ix", table_name="stock_ledger", postgresql_where=sa.text("on_hand_delta <> 0"))
    op.drop_column("orders", "priority")
    op.drop_column("orders", "ship_complete")
    op.drop_index(
        "skus_release_ix", table_name="skus", postgresql_where=sa.text("(document ->> 'release_on') IS NOT NULL")
    )
    op.drop_index("stock_ledger_transaction_ix", table_name="stock_ledger")
    op.drop_column("stock_ledger", "transaction")
    op.drop_column("stock_ledger", "reason_code")
    op.drop_column("stock_ledger", "promise_safety_delta")
    op.drop_column("stock_ledger", "safety_delta")
    op.drop_column("stock_ledger", "soft_delta")
    op.drop_column("stock_ledger", "quarantine_delta")
    op.drop_column("stock_ledger", "damaged_delta")
    op.alter_column(
        "stock",
        "safety_stock",
        existing_type=sa.INTEGER(),
        comment=None,
        existing_comment="units OFL never takes",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.alter_column(
        "stock",
        "reserved",
        existing_type=sa.INTEGER(),
        comment=None,
        existing_comment="firm: taken for order lines, not yet handed over",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.alter_column(
        "stock",
        "on_hand",
        existing_type=sa.INTEGER(),
        comment=None,
        existing_comment="sellable units in the node, reserved ones among them",
        existing_nullable=False,
    )
    op.drop_column("stock", "counted_at")
    op.drop_column("stock", "promise_safety")
    op.drop_column("stock", "reserved_soft")
    op.drop_column("stock", "quarantine")
    op.drop_column("stock", "damaged")
    op.drop_index("reservations_active_ix", table_name="reservations")
    op.create_index(
        "reservations_active_ix",
        "reservations",
        ["node_id", "sku"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.drop_index("reservations_fulfilment_ix", table_name="reservations")
    op.create_unique_constraint(
        op.f("reservations_fulfilment_id_line_id_key"), "reservations", ["fulfilment_id", "line_id"]
    )
    op.drop_constraint(op.f("reservations_soft_id_fkey"), "reservations", type_="foreignkey")
    op.drop_index(
        "reservations_soft_ix",
        table_name="reservations",
        postgresql_where=sa.text("kind = 'soft' AND status = 'active'"),
    )
    op.drop_index("reservations_of_soft_ix", table_name="reservations", postgresql_where=sa.text("soft_id IS NOT NULL"))
    op.drop_column("reservations", "soft_id")
    op.drop_column("node_days", "service")
    op.alter_column(
        "exceptions",
        "order_id",
        existing_type=sa.TEXT(),
        nullable=False,
        comment=None,
        existing_comment="null: no order's trouble, but a node's or a feed's",
    )
    op.drop_table("inbound_receipts")
    op.drop_index("inbound_lines_sku_ix", table_name="inbound_lines")
    op.drop_table("inbound_lines")
    op.drop_table("stock_import_rows")
    op.drop_index("inbound_due_ix", table_name="inbound")
    op.drop_index(
        "inbound_open_ix", table_name="inbound", postgresql_where=sa.text("status IN ('announced', 'in_transit')")
    )
    op.drop_table("inbound")
    op.drop_table("channel_rules")
    op.drop_table("channel_levels")
    op.drop_index("stock_imports_created_ix", table_name="stock_imports")
    op.drop_index(
        "stock_imports_open_ix",
        table_name="stock_imports",
        postgresql_where=sa.text("status IN ('receiving', 'queued', 'applying')"),
    )
    op.drop_table("stock_imports")
    op.drop_index(
        "soft_reservations_owner_ix", table_name="soft_reservations", postgresql_where=sa.text("status = 'active'")
    )
    op.drop_index(
        "soft_reservations_expiry_ix", table_name="soft_reservations", postgresql_where=sa.text("status = 'active'")
    )
    op.drop_table("soft_reservations")
    op.drop_table("feed_cursors")
    op.drop_table("count_marks")
    op.drop_table("channels")
