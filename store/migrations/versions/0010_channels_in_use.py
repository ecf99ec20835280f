"""channels in use are registered; returns keep the key they were asked for with

An order of a channel that nobody has registered is refused from now on. Channels that have orders or carts are
registered, so that a running system goes on.

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_REGISTER = """
INSERT INTO channels (id, priority, document)
SELECT channel, 100, jsonb_build_object('id', channel, 'name', channel, 'priority', 100)
FROM (SELECT channel FROM orders UNION SELECT channel FROM soft_reservations) used
ON CONFLICT (id) DO NOTHING
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_REGISTER)
    op.add_column("returns", sa.Column("request_key", sa.Text(), nullable=True, comment="the caller's Idempotency-Key"))
    op.create_index("returns_request_key_ix", "returns", ["request_key"], unique=True)


def downgrade() -> None:
    """Take back; what was registered stays."""
    op.drop_index("returns_request_key_ix", table_name="returns")
    op.drop_column("returns", "request_key")
