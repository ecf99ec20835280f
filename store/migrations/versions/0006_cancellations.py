"""nodes are asked for cancellations

Revision: 0006
Revises: 0005
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    statements = (Path(__file__).parent.parent / "sql" / "0006_cancellations.sql").read_text()
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))  # the driver's own sign


_DOWN = """
DROP TABLE cancellation_requests;
UPDATE carrier_events SET kind = 'returned_to_sender' WHERE kind IN ('refused', 'intercepted');
UPDATE carrier_events SET kind = 'in_transit' WHERE kind = 'intercept_failed';
ALTER TABLE carrier_events DROP CONSTRAINT carrier_events_kind_known_check;
ALTER TABLE carrier_events ADD CONSTRAINT carrier_events_kind_known_check CHECK (kind IN (
    'picked_up', 'in_transit', 'out_for_delivery', 'delivery_failed', 'delivered', 'lost', 'returned_to_sender'));
"""


def downgrade() -> None:
    """Take back: what nodes were asked is lost, and why a parcel came back."""
    op.get_bind().exec_driver_sql(_DOWN)
