"""ship to store: work whose goods a carrier brings to the store where the customer collects them

Revision: 0012
Revises: 0011
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0012"
down_revision = "0011"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0012_ship_to_store.sql").read_text())


def downgrade() -> None:
    """Take back: what is on its way to a store counts as sent to the customer."""
    op.drop_index("fulfilments_pickup_node_ix", table_name="fulfilments")
    op.drop_column("fulfilments", "pickup_node")
