"""channel connections: how channels are connected to their platforms, and what they were told

Revision: 0016
Revises: 0015
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0016"
down_revision = "0015"

_SQL: Final = Path(__file__).parent.parent / "sql"
_MEDIA: Final = "'mail', 'webhook', 'availability', 'workflow'"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0016_channel_connections.sql").read_text())


def downgrade() -> None:
    """Take back: what channels were told is forgotten, and what they were to be told is dropped."""
    op.execute("DELETE FROM outbox WHERE medium = 'channel'")
    op.drop_constraint(op.f("outbox_medium_known_check"), "outbox")
    op.create_check_constraint(op.f("outbox_medium_known_check"), "outbox", f"medium IN ({_MEDIA})")
    op.drop_column("channel_levels", "told_at")
    op.drop_index("channel_orders_order_ix", "channel_orders")
    for table, columns in (
        ("channel_orders", ("reference", "sent_before", "repairs")),
        ("channel_messages", ("reference", "fetched", "fetched_at")),
    ):
        for column in columns:
            op.drop_column(table, column)
    for table in ("channel_told", "channel_feeds", "channel_connections"):
        op.drop_table(table)
