"""rehearsals and shadows

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

# A decision and its event in the timeline were written in one transaction.
_RECORDED_AT = """
UPDATE sourcing_decisions d SET recorded_at = coalesce((
    SELECT t.recorded_at FROM timeline t WHERE t.order_id = d.order_id
    AND t.business_key = CASE WHEN d.attempt = 1 THEN 'accepted' ELSE d.business_key END), d.decided_at)
"""


def _moment(name: str, *, nullable: bool = False, now: bool = False, comment: str | None = None) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def upgrade() -> None:
    """Apply."""
    op.add_column("sourcing_decisions", _moment("recorded_at", nullable=True))
    op.execute(_RECORDED_AT)
    op.alter_column("sourcing_decisions", "recorded_at", nullable=False, server_default=sa.text("now()"))
    op.create_index("sourcing_decisions_recorded_ix", "sourcing_decisions", ["recorded_at", "order_id", "attempt"])
    _rehearsals()
    _shadows()


def _rehearsals() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("policy", json, comment="the policy that is rehearsed; null: each decision's own"),
        sa.Column("policy_name", sa.Text(), nullable=False, comment="what it is called in the report"),
        sa.Column("orders", sa.Text(), nullable=False, comment="which orders, as they were asked for"),
        sa.Column(
            "total", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="decisions to be made again"
        ),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "starts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how often it was begun"
        ),
        sa.Column("detail", sa.Text(), server_default="", nullable=False, comment="why it failed"),
        sa.Column("report", json),
        sa.Column("asked_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed')", name=op.f("rehearsals_status_known_check")
        ),
        sa.CheckConstraint("done >= 0 AND done <= total", name=op.f("rehearsals_progress_check")),
        sa.CheckConstraint("(status = 'done') = (report IS NOT NULL)", name=op.f("rehearsals_done_has_report_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("rehearsals_pkey")),
    )
    op.create_index("rehearsals_created_ix", "rehearsals", ["created_at", "id"])
    op.create_index(
        "rehearsals_open_ix",
        "rehearsals",
        ["created_at"],
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )


def _shadows() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "shadows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="the draft's"),
        sa.Column("policy", json, nullable=False, comment="the draft as it stood when the shadow began"),
        sa.Column("started_by", sa.Text(), nullable=False),
        _moment("started_at", now=True),
        sa.Column("ended_by", sa.Text()),
        _moment("ended_at", nullable=True),
        _moment(
            "seen_until",
            now=True,
            comment="decisions written down before were looked at, but for those that were under way",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("shadows_pkey")),
    )
    op.create_index(
        "shadows_running_ix", "shadows", ["name"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("shadows_name_ix", "shadows", ["name", "id"])
    op.create_table(
        "shadow_decisions",
        sa.Column("shadow", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("document", json, nullable=False, comment="nodes, strategy, cost and units unfilled, of both"),
        _moment("decided_at"),
        _moment("recorded_at", now=True),
        sa.ForeignKeyConstraint(
            ["shadow"], ["shadows.id"], name=op.f("shadow_decisions_shadow_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "attempt"],
            ["sourcing_decisions.order_id", "sourcing_decisions.attempt"],
            name=op.f("shadow_decisions_order_id_attempt_fkey"),
        ),
        sa.PrimaryKeyConstraint("shadow", "order_id", "attempt", name=op.f("shadow_decisions_pkey")),
    )
    op.create_index(
        "shadow_decisions_differs_ix",
        "shadow_decisions",
        ["shadow", "recorded_at"],
        postgresql_where=sa.text("differs"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("shadow_decisions")
    op.drop_table("shadows")
    op.drop_table("rehearsals")
    op.drop_index("sourcing_decisions_recorded_ix", "sourcing_decisions")
    op.drop_column("sourcing_decisions", "recorded_at")
