"""what stock is worth

Revision: 0005
Revises: 0004
"""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Undo."""
