"""indexes of the work list by time, and of the lists of shipments, messages and exceptions

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_OPEN = "('accepted', 'booked', 'packed', 'picked', 'ready_for_collection', 'released')"
_INDEXES = (
    ("fulfilments_open_ix", "fulfilments", ["ship_by", "id"], f"status IN {_OPEN}"),
    ("fulfilments_closed_ix", "fulfilments", ["ship_by", "id"], f"status NOT IN {_OPEN}"),
    ("fulfilments_node_open_ix", "fulfilments", ["node_id", "ship_by", "id"], f"status IN {_OPEN}"),
    ("fulfilments_node_closed_ix", "fulfilments", ["node_id", "ship_by", "id"], f"status NOT IN {_OPEN}"),
    ("shipments_booked_ix", "shipments", ["booked_at", "id"], None),
    ("shipments_status_ix", "shipments", ["status", "booked_at", "id"], None),
    ("shipments_carrier_ix", "shipments", ["carrier", "booked_at", "id"], None),
    ("messages_status_ix", "messages", ["status", "id"], None),
    ("exceptions_status_ix", "exceptions", ["status", "id"], None),
    ("exceptions_order_ix", "exceptions", ["order_id", "id"], None),
)


def upgrade() -> None:
    """Apply."""
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, postgresql_where=None if where is None else sa.text(where))


def downgrade() -> None:
    """Take back."""
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
