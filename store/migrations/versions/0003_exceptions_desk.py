"""the exceptions desk: who looks after an exception, comments, resolutions, watches on milestones

Revision: 0003
Revises: 0002
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    _run("0003_exceptions_desk.sql")


def downgrade() -> None:
    """Take back: comments, resolutions and watches are lost."""
    _run("0003_exceptions_desk_down.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text().replace("%", "%%"))  # the driver's own sign
