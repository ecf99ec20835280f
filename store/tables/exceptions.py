"""What people write about exceptions, and the watches that open some by themselves."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.common import metadata, moment, serial

exception_comments = Table(
    "exception_comments",
    metadata,
    serial(),
    Column("exception_id", BigInteger, ForeignKey("exceptions.id"), nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("request_key", Text, comment="the author's Idempotency-Key; null: none was given"),
    moment("written_at", now=True),
    UniqueConstraint("exception_id", "author", "request_key"),
    CheckConstraint("text <> ''", name="not_empty"),
    Index("exception_comments_exception_ix", "exception_id", "id"),
)

# Looked at by deadline: what a watch counts from is found through `timeline_kind_ix`, from `checked_to` on.
watches = Table(
    "watches",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("updated_by", Text, nullable=False),
    moment("updated_at", now=True),
    moment("checked_to"),
)
