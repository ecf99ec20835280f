"""API keys, secrets that carriers sign with, and the log of every change that a caller asked for."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from dom.shared.access import Role
from store.tables.common import metadata, moment, one_of, serial


def _issued(table: str) -> tuple[Column[Any], ...]:
    """Who made a credential and when, until when it counts, and which one it took the place of."""
    return (
        Column("created_by", Text, nullable=False),
        moment("created_at", now=True),
        moment("expires_at", nullable=True),
        Column("revoked_by", Text),
        moment("revoked_at", nullable=True),
        moment("last_used_at", nullable=True),
        Column("rotated_from", Text, ForeignKey(f"{table}.id")),
    )


# The secret itself is kept nowhere: who has lost it makes another.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="the part of the key that is no secret"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the secret part"),
    Column("role", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the name that is written down with what is done"),
    Column("channels", ARRAY(Text), comment="which it is limited to; null: no limit"),
    Column("nodes", ARRAY(Text)),
    Column("carriers", ARRAY(Text)),
    Column("scopes", ARRAY(Text), comment="those of the role's scopes that it has; null: all"),
    *_issued("api_keys"),
    one_of("role", Role),
    CheckConstraint("length(hash) = 32", name="hash_is_sha256"),
    CheckConstraint("position(':' in subject) = 0", name="subject_is_no_system"),
    CheckConstraint("role <> 'channel' OR channels IS NOT NULL", name="channel_is_limited"),
    CheckConstraint("role <> 'node' OR nodes IS NOT NULL", name="node_is_limited"),
    CheckConstraint("role <> 'carrier' OR carriers IS NOT NULL", name="carrier_is_limited"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
    Index("api_keys_created_ix", "created_at", "id"),
)

# Of these the secret itself is kept: whoever checks a signature needs it, as whoever signs does.
signing_secrets = Table(
    "signing_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("carrier", Text, nullable=False),
    Column(
        "secret",
        Text,
        nullable=False,
        comment="whsec_ and base64, as it is: whoever checks a signature needs the secret itself",
    ),
    *_issued("signing_secrets"),
    CheckConstraint("secret LIKE 'whsec\\_%' AND length(secret) >= 38", name="secret_can_sign"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
    Index("signing_secrets_carrier_ix", "carrier"),
    Index("signing_secrets_created_ix", "created_at", "id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    serial(),
    moment("recorded_at", now=True),
    Column("request_id", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("key_id", Text, comment="null: a person with a token, or a command of the CLI"),
    Column("roles", ARRAY(Text), nullable=False),
    Column("method", Text, nullable=False),
    Column("route", Text, nullable=False, comment="the route's template"),
    Column("object", Text, nullable=False, comment="what it was about: the parameters of the path"),
    Column("status", Integer, nullable=False, comment="the HTTP status it was answered with"),
    Column("reason", Text, nullable=False, comment="the reason the caller gave"),
    Column("source", Text, nullable=False, comment="the address the request came from"),
    Index("audit_log_principal_ix", "principal", "id"),
    Index("audit_log_object_ix", "object", "id"),
    Index("audit_log_recorded_ix", "recorded_at"),
)
