"""returns: a parcel that its carrier brings back undelivered is one

Revision: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE returns ADD COLUMN fulfilment_id text REFERENCES fulfilments (id)")
    op.execute("COMMENT ON COLUMN returns.fulfilment_id IS 'the parcel that its carrier brings back'")
    op.execute("CREATE UNIQUE INDEX returns_fulfilment_ix ON returns (fulfilment_id) WHERE fulfilment_id IS NOT NULL")


def downgrade() -> None:
    """Take back: such returns stay, as if a customer had asked for them."""
    op.drop_index("returns_fulfilment_ix")
    op.drop_column("returns", "fulfilment_id")
