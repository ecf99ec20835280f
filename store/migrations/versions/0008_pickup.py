"""pick-up: goods that wait for their customer

Revision: 0008
Revises: 0007
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0008_pickup.sql").read_text())


def downgrade() -> None:
    """Take back: codes are lost, and until when goods are kept."""
    op.drop_table("collections")
