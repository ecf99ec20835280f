"""put away: returns of parcels whose units were sent again, and are not paid back

Revision: 0013
Revises: 0012
"""

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"

_BEFORE: Final = "'requested', 'received', 'part_refunded', 'refunded', 'cancelled', 'expired'"
_AFTER: Final = (
    "'requested', 'received', 'part_refunded', 'refunded', 'part_put_away', 'put_away', 'cancelled', 'expired'"
)


def upgrade() -> None:
    """Apply."""
    _may_be(_AFTER)


def downgrade() -> None:
    """Take back: they count as refunded, with nothing paid back."""
    op.execute("UPDATE returns SET status = 'refunded' WHERE status = 'put_away'")
    op.execute("UPDATE returns SET status = 'part_refunded' WHERE status = 'part_put_away'")
    _may_be(_BEFORE)


def _may_be(statuses: str) -> None:
    op.execute("ALTER TABLE returns DROP CONSTRAINT returns_status_known_check")
    op.execute(f"ALTER TABLE returns ADD CONSTRAINT returns_status_known_check CHECK (status IN ({statuses}))")
