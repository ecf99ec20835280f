"""What orders are searched by beside their own columns, and the filters that people keep."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, Text, event, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.common import metadata, moment

TRIGRAMS: Final = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
# Its operators are in indexes of other tables too.
event.listen(metadata, "before_create", lambda _, connection, **__: connection.execute(text(TRIGRAMS)))

# Beside the orders: their rows are written anew with each status, and with them every entry of their indexes.
order_search = Table(
    "order_search",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("text", Text, nullable=False, comment="what people type, in the form of dom.orders.searching.plain"),
    Column("postal_code", Text, nullable=False, comment="without spaces, in capitals"),
    # What is pending is put in its place by whoever fills the list: a short list is a short wait for that order.
    Index(
        "order_search_text_ix",
        "text",
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": 512},
    ),
    Index("order_search_postal_code_ix", "postal_code", postgresql_ops={"postal_code": "text_pattern_ops"}),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False, comment="the name of the caller who made it"),
    Column("name", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("channels", ARRAY(Text), comment="of a channel's own caller: its channels; null: of the merchant's people"),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name_length"),
    Index("saved_views_owner_ix", "owner", "name", "channels", unique=True, postgresql_nulls_not_distinct=True),
    Index("saved_views_shared_ix", "name", "id", postgresql_where=text("shared")),
)
