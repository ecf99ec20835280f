"""orders are edited

Revision: 0005
Revises: 0004
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    statements = (Path(__file__).parent.parent / "sql" / "0005_edits.sql").read_text()
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))  # the driver's own sign


def downgrade() -> None:
    """Take back: what orders were before their edits is lost."""
    op.get_bind().exec_driver_sql("DROP TABLE order_revisions; ALTER TABLE orders DROP COLUMN revision")
