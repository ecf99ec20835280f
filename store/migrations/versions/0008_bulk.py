"""bulk runs: one action on many orders

Revision: 0008
Revises: 0005
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0008"
down_revision = "0005"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0008_bulk.sql").read_text().replace("%", "%%"))  # the driver's own sign


def downgrade() -> None:
    """Take back: what became of bulk runs is lost."""
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
