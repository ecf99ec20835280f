"""the inbox: messages of channels as they come in, and the mappings they are read by

Revision: 0015
Revises: 0014
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0015"
down_revision = "0014"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0015_inbox.sql").read_text())


def downgrade() -> None:
    """Take back: messages that were kept are gone."""
    for table in ("channel_orders", "channel_message_repeats", "channel_messages", "channel_mappings"):
        op.drop_table(table)
    for function in ("refuse_change_of_message", "refuse_change_of_mapping"):
        op.execute(f"DROP FUNCTION {function}()")
