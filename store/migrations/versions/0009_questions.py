"""customers are asked when what was promised comes later

Revision: 0009
Revises: 0008
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    statements = (Path(__file__).parent.parent / "sql" / "0009_questions.sql").read_text()
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))  # the driver's own sign


_DOWN = """
DROP TABLE customer_questions;
DROP INDEX order_lines_overdue_ix;
ALTER TABLE order_lines DROP COLUMN promised;
"""


def downgrade() -> None:
    """Take back: what customers were asked, and told of each line, is lost."""
    op.get_bind().exec_driver_sql(_DOWN)
