"""Waiting orders that gave their units to others, and stand first for goods on their way."""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, Table, Text

from store.tables.common import metadata, moment

first_claims = Table(
    "first_claims",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("node_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("units", Integer, nullable=False),
    Column("counted_on", Date, nullable=False, comment="until then the units come from the node alone"),
    moment("claimed_at", now=True),
    CheckConstraint("units > 0", name="units"),
)
