"""reports out of turn, and which carriers' events the orders were told of

Revision: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "carrier_events",
        sa.Column(
            "told_at",
            sa.DateTime(timezone=True),
            comment="when the orders concerned were told, or nobody had to be; null: a repeat of the event tells them",
        ),
    )
    op.add_column(
        "exceptions",
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="what the detail says, for programs",
        ),
    )
    op.add_column(
        "stock_imports",
        sa.Column("digest", sa.Text(), comment="SHA-256 of the file; null: received before 0008, or not yet in full"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("stock_imports", "digest")
    op.drop_column("exceptions", "data")
    op.drop_column("carrier_events", "told_at")
