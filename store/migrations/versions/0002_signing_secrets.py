"""secrets that carriers sign their messages with

Revision: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.execute("""
    CREATE TABLE signing_secrets (
        id TEXT NOT NULL,
        carrier TEXT NOT NULL,
        secret TEXT NOT NULL,
        created_by TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        revoked_by TEXT,
        revoked_at TIMESTAMP WITH TIME ZONE,
        last_used_at TIMESTAMP WITH TIME ZONE,
        rotated_from TEXT,
        CONSTRAINT signing_secrets_pkey PRIMARY KEY (id),
        CONSTRAINT signing_secrets_secret_can_sign_check CHECK (secret LIKE 'whsec\\_%' AND length(secret) >= 38),
        CONSTRAINT signing_secrets_revoked_by_somebody_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
        CONSTRAINT signing_secrets_rotated_from_fkey FOREIGN KEY (rotated_from) REFERENCES signing_secrets (id)
    );
    COMMENT ON COLUMN signing_secrets.secret IS 'whsec_ and base64, as it is: whoever checks a signature needs the secret itself';
    CREATE INDEX signing_secrets_carrier_ix ON signing_secrets (carrier);
    CREATE INDEX signing_secrets_created_ix ON signing_secrets (created_at, id);
    """)


def downgrade() -> None:
    """Take back: carriers' messages need no signature any more."""
    op.execute("DROP TABLE signing_secrets")
