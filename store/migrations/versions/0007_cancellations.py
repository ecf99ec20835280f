"""nodes are asked for cancellations

Revision: 0007
Revises: 0005
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    statements = (Path(__file__).parent.parent / "sql" / "0007_cancellations.sql").read_text()
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))  # the driver's own sign


def downgrade() -> None:
    """Take back: what nodes were asked is lost."""
    op.get_bind().exec_driver_sql("DROP TABLE cancellation_requests")
