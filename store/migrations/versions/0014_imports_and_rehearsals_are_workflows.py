"""imports and rehearsals are workflows, which can be cancelled; a shadow that is started wakes who lets it decide

What is under way when the migration runs is gone on with by a workflow.

Revision: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_SETS = (
    ("stock_imports", "status", ("receiving", "queued", "applying", "done", "refused", "failed")),
    (
        "stock_import_rows",
        "outcome",
        ("applied", "short", "repeated", "late", "superseded", "replaced", "refused"),
    ),
    ("rehearsals", "status", ("queued", "running", "done", "failed")),
)


def _known(*more: str) -> None:
    for table, column, values in _SETS:
        op.drop_constraint(op.f(f"{table}_{column}_known_check"), table, type_="check")
        listed = ", ".join(repr(value) for value in (*values, *more))
        op.create_check_constraint(op.f(f"{table}_{column}_known_check"), table, f"{column} IN ({listed})")


def upgrade() -> None:
    """Apply."""
    op.execute("DROP TRIGGER import_queued ON stock_imports")
    op.execute("DROP TRIGGER rehearsal_queued ON rehearsals")
    op.execute(
        "CREATE TRIGGER shadow_started AFTER INSERT ON shadows FOR EACH STATEMENT EXECUTE FUNCTION wake('shadows')"
    )
    op.drop_column("rehearsals", "starts")
    op.alter_column("rehearsals", "detail", comment="why it failed or was cancelled")
    _known("cancelled")


def downgrade() -> None:
    """Take back. What was cancelled counts as failed, its rows as refused."""
    op.execute("UPDATE stock_imports SET status = 'failed' WHERE status = 'cancelled'")
    op.execute("UPDATE stock_import_rows SET outcome = 'refused' WHERE outcome = 'cancelled'")
    op.execute("UPDATE rehearsals SET status = 'failed' WHERE status = 'cancelled'")
    _known()
    op.alter_column("rehearsals", "detail", comment="why it failed")
    op.add_column(
        "rehearsals",
        sa.Column(
            "starts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how often it was begun"
        ),
    )
    op.execute("DROP TRIGGER shadow_started ON shadows")
    op.execute(
        "CREATE TRIGGER import_queued AFTER INSERT OR UPDATE OF status ON stock_imports "
        "FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('imports')"
    )
    op.execute(
        "CREATE TRIGGER rehearsal_queued AFTER INSERT OR UPDATE OF status ON rehearsals "
        "FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION wake('rehearsals')"
    )
