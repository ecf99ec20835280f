"""a return may be cancelled, expire and be received in parts

Units that never came of returns that were refunded may be returned otherwise from now on. Returns that are open expire
30 days from now.

Revision: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_STATUSES = ("requested", "received", "part_refunded", "refunded", "cancelled", "expired")
_BEFORE = ("requested", "received", "refunded")


def _statuses(statuses: tuple[str, ...]) -> str:
    return f"status IN ({', '.join(repr(each) for each in statuses)})"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "returns",
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("1"),
            comment="counts the commands that changed it",
        ),
    )
    op.add_column("returns", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "returns",
        sa.Column("released_by", sa.Text(), nullable=True, comment="the step that let go what had not come"),
    )
    op.create_check_constraint(
        op.f("returns_released_by_known_check"), "returns", "released_by IN ('cancelled', 'expired', 'closed')"
    )
    op.drop_constraint(op.f("returns_status_known_check"), "returns", type_="check")
    op.create_check_constraint(op.f("returns_status_known_check"), "returns", _statuses(_STATUSES))
    op.add_column("return_lines", sa.Column("released", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.drop_constraint(op.f("return_lines_units_check"), "return_lines", type_="check")
    op.create_check_constraint(
        op.f("return_lines_units_check"),
        "return_lines",
        "quantity > 0 AND received >= 0 AND released >= 0 AND received + released <= quantity",
    )
    op.execute("UPDATE returns SET number = CASE status WHEN 'requested' THEN 1 WHEN 'received' THEN 2 ELSE 3 END")
    op.execute("UPDATE returns SET expires_at = now() + interval '30 days' WHERE status <> 'refunded'")
    op.execute("""
        UPDATE return_lines l SET released = l.quantity - l.received
        FROM returns r WHERE r.id = l.return_id AND r.status = 'refunded' AND l.received < l.quantity
    """)
    op.execute("""
        UPDATE returns SET released_by = 'closed'
        WHERE status = 'refunded' AND id IN (SELECT return_id FROM return_lines WHERE released > 0)
    """)
    op.alter_column("returns", "number", server_default=None)


def downgrade() -> None:
    """Take back. Returns that ended without goods are gone from the books of before: they count as refunded."""
    op.execute("UPDATE returns SET status = 'refunded' WHERE status IN ('cancelled', 'expired')")
    op.execute("UPDATE returns SET status = 'received' WHERE status = 'part_refunded'")
    op.drop_constraint(op.f("return_lines_units_check"), "return_lines", type_="check")
    op.create_check_constraint(
        op.f("return_lines_units_check"), "return_lines", "quantity > 0 AND received >= 0 AND received <= quantity"
    )
    op.drop_column("return_lines", "released")
    op.drop_constraint(op.f("returns_status_known_check"), "returns", type_="check")
    op.create_check_constraint(op.f("returns_status_known_check"), "returns", _statuses(_BEFORE))
    op.drop_column("returns", "released_by")
    op.drop_column("returns", "expires_at")
    op.drop_column("returns", "number")
