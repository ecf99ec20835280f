"""API keys, and the log of every change that a caller asked for; names of our own processes that no caller can have

The actors that are decided by stand in the timeline; entries of the ledger are never changed.

Revision: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0011"
down_revision = "0010"

_OURS = "'ofl', 'network', 'temporal'"
_ROLES = "'channel', 'node', 'carrier', 'support', 'supervisor', 'planner', 'operator'"


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="the part of the key that is no secret"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret part"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="the name that is written down with what is done"),
        sa.Column("channels", ARRAY(sa.Text()), nullable=True, comment="which it is limited to; null: no limit"),
        sa.Column("nodes", ARRAY(sa.Text()), nullable=True),
        sa.Column("carriers", ARRAY(sa.Text()), nullable=True),
        sa.Column(
            "scopes", ARRAY(sa.Text()), nullable=True, comment="those of the role's scopes that it has; null: all"
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("created_at", nullable=False, now=True),
        _moment("expires_at"),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        _moment("revoked_at"),
        _moment("last_used_at"),
        sa.Column("rotated_from", sa.Text(), nullable=True),
        sa.CheckConstraint(f"role IN ({_ROLES})", name=op.f("api_keys_role_known_check")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("api_keys_hash_is_sha256_check")),
        sa.CheckConstraint("position(':' in subject) = 0", name=op.f("api_keys_subject_is_no_system_check")),
        sa.CheckConstraint("role <> 'channel' OR channels IS NOT NULL", name=op.f("api_keys_channel_is_limited_check")),
        sa.CheckConstraint("role <> 'node' OR nodes IS NOT NULL", name=op.f("api_keys_node_is_limited_check")),
        sa.CheckConstraint("role <> 'carrier' OR carriers IS NOT NULL", name=op.f("api_keys_carrier_is_limited_check")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("api_keys_revoked_by_somebody_check")
        ),
        sa.ForeignKeyConstraint(["rotated_from"], ["api_keys.id"], name=op.f("api_keys_rotated_from_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
    )
    op.create_index("api_keys_created_ix", "api_keys", ["created_at", "id"])
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _moment("recorded_at", nullable=False, now=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True, comment="null: a person with a token, or a command of the CLI"),
        sa.Column("roles", ARRAY(sa.Text()), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False, comment="the route's template"),
        sa.Column("object", sa.Text(), nullable=False, comment="what it was about: the parameters of the path"),
        sa.Column("status", sa.Integer(), nullable=False, comment="the HTTP status it was answered with"),
        sa.Column("reason", sa.Text(), nullable=False, comment="the reason the caller gave"),
        sa.Column("source", sa.Text(), nullable=False, comment="the address the request came from"),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_log_pkey")),
    )
    op.create_index("audit_log_principal_ix", "audit_log", ["principal", "id"])
    op.execute(f"UPDATE timeline SET actor = 'system:' || actor WHERE actor IN ({_OURS})")


def downgrade() -> None:
    """Take back: every key is lost, and what callers did is known from the timelines alone."""
    op.execute(f"UPDATE timeline SET actor = substr(actor, 8) WHERE substr(actor, 8) IN ({_OURS})")
    op.drop_table("audit_log")
    op.drop_table("api_keys")
