"""re-allocation: orders that gave their units stand first for goods on their way

Revision: 0010
Revises: 0009
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0010"
down_revision = "0009"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql(
        (_SQL / "0010_reallocation.sql").read_text().replace("%", "%%")
    )  # the driver's own sign


def downgrade() -> None:
    """Take back: who stood first stands in his place by priority and age again."""
    op.drop_table("first_claims")
