"""the schema of the first release

Revision: 0001
Revises: None
"""

import re
from pathlib import Path
from typing import Final

from alembic import op

revision = "0001"
down_revision = None

_SQL: Final = Path(__file__).parent.parent / "sql"
_PARTS: Final = ("0001_tables.sql", "0001_functions.sql", "0001_triggers.sql")
_FIRST_ROWS: Final = """
INSERT INTO reference_state (version) VALUES (1);
INSERT INTO outbox_relay (number) VALUES (0);
"""
_MADE: Final = re.compile(r"^CREATE (TABLE|FUNCTION) (\w+)", re.MULTILINE)


def upgrade() -> None:
    """Apply."""
    for part in _PARTS:
        op.get_bind().exec_driver_sql((_SQL / part).read_text().replace("%", "%%"))  # the driver's own sign
    op.get_bind().exec_driver_sql(_FIRST_ROWS)


def downgrade() -> None:
    """Take back: everything is lost."""
    made = [found for part in _PARTS for found in _MADE.findall((_SQL / part).read_text())]
    for kind in ("TABLE", "FUNCTION"):
        names = ", ".join(name for each, name in made if each == kind)
        op.get_bind().exec_driver_sql(f"DROP {kind} {names} CASCADE")
