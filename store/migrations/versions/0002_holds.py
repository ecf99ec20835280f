"""holds of orders

Revision: 0002
Revises: 0001
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    statements = (Path(__file__).parent.parent / "sql" / "0002_holds.sql").read_text()
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))  # the driver's own sign


def downgrade() -> None:
    """Take back: holds that stand are lost, and what they blocked goes on."""
    op.get_bind().exec_driver_sql("DROP TABLE order_holds, hold_policies")
