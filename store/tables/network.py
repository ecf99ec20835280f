"""The network: nodes, SKUs, carriers' table rates, the policy, postal codes."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    event,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dom.network import NodeKind
from store.tables.common import metadata, moment, one_of

nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("daily_capacity", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    moment("updated_at", now=True),
    one_of("kind", NodeKind),
    CheckConstraint("daily_capacity >= 0", name="capacity"),
)

FOLD: Final = """
CREATE OR REPLACE FUNCTION sku_fold(code text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ltrim(regexp_replace(upper(code), '[^A-Z0-9]', '', 'g'), '0')
"""
"""A code without case, marks and leading zeros, as `dom.channels.correcting.skus.key` has it."""
event.listen(metadata, "before_create", lambda _, connection, **__: connection.execute(text(FOLD)))

skus = Table(
    "skus",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    moment("updated_at", now=True),
    Index(
        "skus_release_ix",
        text("(document ->> 'release_on')"),
        postgresql_where=text("(document ->> 'release_on') IS NOT NULL"),
    ),
    Index("skus_folded_ix", text("sku_fold(id)")),
    Index("skus_id_like_ix", "id", postgresql_using="gin", postgresql_ops={"id": "gin_trgm_ops"}),
    Index(
        "skus_name_like_ix",
        literal_column("(document ->> 'description')").label("name"),
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    ),
)

tariffs = Table(
    "tariffs",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    moment("updated_at", now=True),
)

# Published versions. A trigger refuses every change of one that is there.
policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("published_by", Text, nullable=False),
    moment("published_at", now=True),
    Column("comment", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=True, comment="the text as it was written; null: none was"),
    Column(
        "restores",
        Integer,
        ForeignKey("policies.version"),
        nullable=True,
        comment="the earlier version this one brings back",
    ),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint("restores < version", name="restores"),
)

# What somebody works on; it decides nothing until it is published.
policy_drafts = Table(
    "policy_drafts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", Integer, nullable=False, comment="counts how often it was written"),
    Column(
        "based_on",
        Integer,
        ForeignKey("policies.version"),
        nullable=False,
        comment="the version it was begun from",
    ),
    Column("document", JSONB, nullable=False),
    Column("source", Text, nullable=False, comment="the text as it was written"),
    Column("comment", Text, nullable=False, server_default=""),
    Column("created_by", Text, nullable=False),
    moment("created_at", now=True),
    Column("updated_by", Text, nullable=False),
    moment("updated_at", now=True),
    CheckConstraint("revision > 0", name="revision"),
)

# One row; every change of nodes, tariffs or policy raises it, so that a process knows when what it remembers is old.
reference_state = Table(
    "reference_state",
    metadata,
    Column("id", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id", name="single"),
)

# Nodes and tariffs as they stood when a decision was made, kept once each.
networks = Table(
    "networks",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the document"),
    Column("document", JSONB, nullable=False),
    moment("recorded_at", now=True),
)

places = Table(
    "places",
    metadata,
    Column("country", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
)
