"""What stock is worth where it lies: shadow prices, mark-downs, forecasts."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from store.tables.common import metadata, moment

# A row is there as soon as anything is known of a (node, SKU), whether it holds stock or not.
stock_values = Table(
    "stock_values",
    metadata,
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("node_id", Text, ForeignKey("nodes.id"), primary_key=True),
    Column("opportunity", BigInteger, nullable=False, server_default=text("0"), comment="the shadow price of a unit"),
    Column("currency", Text, nullable=False, server_default="", comment="the policy's, when it was priced"),
    Column("units", Integer, nullable=False, server_default=text("0"), comment="free when it was priced"),
    Column("outflow", Float, nullable=False, server_default=text("0"), comment="units a day expected to leave it"),
    Column("daily_demand", Float, nullable=False, server_default=text("0"), comment="units a day it is asked for"),
    moment("priced_at", nullable=True),
    moment("fades_at", nullable=True),
    Column("markdown", BigInteger, nullable=False, server_default=text("0"), comment="what a unit loses by staying"),
    Column("marked_by", Text, nullable=False, server_default=""),
    moment("marked_at", nullable=True),
    CheckConstraint("opportunity >= 0 AND markdown >= 0", name="amounts"),
    CheckConstraint("outflow >= 0 AND daily_demand >= 0", name="rates"),
    CheckConstraint("(priced_at IS NULL) = (fades_at IS NULL) AND priced_at < fades_at", name="lifetime"),
    Index("stock_values_fades_ix", "fades_at", postgresql_where=text("priced_at IS NOT NULL")),
)
