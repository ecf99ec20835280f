"""Stock: balances, the ledger behind them, reservations, and nodes' capacity by day."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.enums import LedgerKind, ReservationKind, ReservationStatus, SoftStatus
from store.tables.common import metadata, moment, one_of, serial


def _count(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"), comment=comment)


def _delta(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


# Each quantity has one meaning. Free for OFL = on_hand - reserved - live soft - safety_stock; see store/stock/terms.py.
stock = Table(
    "stock",
    metadata,
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("on_hand", Integer, nullable=False, comment="sellable units in the node, reserved ones among them"),
    _count("damaged", "units in the node that cannot be sold"),
    _count("quarantine", "units in the node that wait for a decision"),
    _count("reserved", "firm: taken for order lines, not yet handed over"),
    _count("reserved_soft", "soft: held for carts and waiting orders; lapsed ones too, until they are reclaimed"),
    _count("safety_stock", "units OFL never takes"),
    _count("promise_safety", "units never promised to a channel; what OFL may still take of them covers a wrong count"),
    moment("counted_at", nullable=True),
    moment("updated_at", now=True),
    CheckConstraint("reserved >= 0", name="reserved_not_negative"),
    CheckConstraint("reserved_soft >= 0", name="reserved_soft_not_negative"),
    CheckConstraint("reserved + reserved_soft <= on_hand", name="reserved_within_on_hand"),
    CheckConstraint("damaged >= 0 AND quarantine >= 0", name="conditions_not_negative"),
    CheckConstraint("safety_stock >= 0 AND promise_safety >= 0", name="safety_not_negative"),
    Index("stock_sku_node_ix", "sku", "node_id"),
    # Room on the page keeps an update of a hot row on it, and out of the indexes.
    postgresql_with={"fillfactor": 70},
)

stock_ledger = Table(
    "stock_ledger",
    metadata,
    serial(),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _delta("on_hand_delta"),
    _delta("damaged_delta"),
    _delta("quarantine_delta"),
    _delta("reserved_delta"),
    _delta("soft_delta"),
    _delta("safety_delta"),
    _delta("promise_safety_delta"),
    Column("business_key", Text, nullable=False),
    Column("order_id", Text),
    Column("reason_code", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("actor", Text, nullable=False),
    moment("occurred_at"),
    moment("recorded_at", now=True),
    Column(
        "transaction",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="what tells a reader of changes that nothing older is still to be committed",
    ),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    UniqueConstraint("business_key", "node_id", "sku"),
    one_of("kind", LedgerKind),
    CheckConstraint(
        "kind IN ('reconcile', 'safety', 'rule') OR on_hand_delta <> 0 OR damaged_delta <> 0 OR quarantine_delta <> 0 "
        "OR reserved_delta <> 0 OR soft_delta <> 0 OR safety_delta <> 0 OR promise_safety_delta <> 0",
        name="moves_something",
    ),
    Index("stock_ledger_node_sku_ix", "node_id", "sku", "id"),
    Index("stock_ledger_transaction_ix", "transaction", "id"),
    # What moved since a count was taken; reservations, the most of the ledger by far, are not in it.
    Index(
        "stock_ledger_moved_ix",
        "node_id",
        "sku",
        "occurred_at",
        postgresql_include=["on_hand_delta"],
        postgresql_where=text("on_hand_delta <> 0"),
    ),
)

soft_reservations = Table(
    "soft_reservations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("owner", Text, nullable=False, comment="whose units they are: a cart, a checkout, a waiting order"),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=SoftStatus.ACTIVE),
    Column("document", JSONB, nullable=False, comment="what was asked and what was promised"),
    Column("order_id", Text, comment="the order it became"),
    Column("backorder_of", Text, ForeignKey("orders.id"), comment="the order that waits for them; null: a cart's"),
    Column("ready", Boolean, nullable=False, server_default=false(), comment="of a backorder: it is to take them"),
    Column("declined", JSONB, comment="of a backorder: balances it could not use, and when"),
    moment("expires_at"),
    moment("created_at", now=True),
    one_of("status", SoftStatus),
    Index(
        "soft_reservations_owner_ix",
        "channel",
        "owner",
        unique=True,
        postgresql_where=text("status = 'active'"),
    ),
    Index("soft_reservations_expiry_ix", "expires_at", postgresql_where=text("status = 'active'")),
    Index(
        "soft_reservations_backorder_ix",
        "backorder_of",
        unique=True,
        postgresql_where=text("backorder_of IS NOT NULL"),
    ),
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
    Column("soft_id", Text, ForeignKey("soft_reservations.id")),
    moment("expires_at", nullable=True),
    moment("created_at", now=True),
    ForeignKeyConstraint(["node_id", "sku"], ["stock.node_id", "stock.sku"]),
    one_of("kind", ReservationKind),
    one_of("status", ReservationStatus),
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    CheckConstraint("status <> 'active' OR quantity > 0", name="active_holds_units"),
    CheckConstraint("kind <> 'firm' OR (order_id IS NOT NULL AND fulfilment_id IS NOT NULL)", name="firm_has_order"),
    CheckConstraint("kind <> 'soft' OR (expires_at IS NOT NULL AND soft_id IS NOT NULL)", name="soft_expires"),
    # Soft ones come by the thousand: they are kept out of the indexes that only firm ones need.
    Index(
        "reservations_fulfilment_ix",
        "fulfilment_id",
        "line_id",
        unique=True,
        postgresql_where=text("fulfilment_id IS NOT NULL"),
    ),
    Index("reservations_active_ix", "node_id", "sku", postgresql_where=text("kind = 'firm' AND status = 'active'")),
    Index(
        "reservations_soft_ix",
        "node_id",
        "sku",
        "expires_at",
        postgresql_where=text("kind = 'soft' AND status = 'active'"),
    ),
    Index("reservations_of_soft_ix", "soft_id", postgresql_where=text("soft_id IS NOT NULL")),
)

node_days = Table(
    "node_days",
    metadata,
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("service", Text, primary_key=True, server_default="", comment="empty: the node's day as a whole"),
    Column("used", Integer, nullable=False),
    CheckConstraint("used >= 0", name="used_not_negative"),
    Index("node_days_day_ix", "day"),
)
