"""second looks

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

STATUSES = (
    "released",
    "accepted",
    "picked",
    "packed",
    "booked",
    "ready_for_collection",
    "handed_over",
    "delivered",
    "collected",
    "rejected",
    "cancelled",
    "lost",
    "returned_to_sender",
)


def _statuses(*more: str) -> None:
    listed = ", ".join(f"'{status}'" for status in (*STATUSES, *more))
    op.drop_constraint(op.f("fulfilments_status_known_check"), "fulfilments", type_="check")
    op.create_check_constraint(op.f("fulfilments_status_known_check"), "fulfilments", f"status IN ({listed})")


def upgrade() -> None:
    """Apply."""
    _statuses("recalled")
    op.add_column(
        "orders",
        sa.Column(
            "sourced_on_stock",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="whether waiting units are given what comes in; the policy's strategy says so",
        ),
    )
    op.create_table(
        "second_looks",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="counted from 1 for each order"),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="recalled and released"),
        sa.Column("saving", sa.BigInteger(), nullable=False, comment="minor units; below zero: it made room"),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("second_looks_order_id_fkey")),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("second_looks_pkey")),
    )
    op.create_index(
        "second_looks_untold_ix",
        "second_looks",
        ["told_at", "order_id"],
        postgresql_where=sa.text("taken_in_at IS NULL"),
    )


def downgrade() -> None:
    """Undo: what was recalled counts as cancelled work, whose units other fulfilments have."""
    op.drop_table("second_looks")
    op.drop_column("orders", "sourced_on_stock")
    op.execute("UPDATE fulfilments SET status = 'cancelled' WHERE status = 'recalled'")
    _statuses()
