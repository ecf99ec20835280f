"""bulk runs: one action on many orders

Revision: 0007
Revises: 0006
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0007_bulk.sql").read_text().replace("%", "%%"))  # the driver's own sign


def downgrade() -> None:
    """Take back: what became of bulk runs is lost."""
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
