"""put back in part: goods that wait for their customer may have units that are to be put back

Revision: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"

_NAME = "collections_put_back_once_check"
_ENDED = "NOT to_put_back OR (ended_at IS NOT NULL AND put_back_at IS NULL)"


def upgrade() -> None:
    """Apply."""
    op.drop_constraint(op.f(_NAME), "collections")
    op.create_check_constraint(op.f(_NAME), "collections", "NOT to_put_back OR put_back_at IS NULL")


def downgrade() -> None:
    """Take back: what was cancelled of goods that still wait stands on no list."""
    op.execute("UPDATE collections SET to_put_back = false WHERE to_put_back AND ended_at IS NULL")
    op.drop_constraint(op.f(_NAME), "collections")
    op.create_check_constraint(op.f(_NAME), "collections", _ENDED)
