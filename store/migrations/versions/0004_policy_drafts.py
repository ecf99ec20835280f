"""policy drafts

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

UNCHANGED = """
CREATE FUNCTION refuse_change_of_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published policy never changes: publish another version' USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("policies", sa.Column("comment", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "policies",
        sa.Column("source", sa.Text(), nullable=True, comment="the text as it was written; null: none was"),
    )
    op.add_column(
        "policies",
        sa.Column("restores", sa.Integer(), nullable=True, comment="the earlier version this one brings back"),
    )
    op.create_foreign_key(op.f("policies_restores_fkey"), "policies", "policies", ["restores"], ["version"])
    op.create_check_constraint(op.f("policies_restores_check"), "policies", "restores < version")
    op.create_table(
        "policy_drafts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="counts how often it was written"),
        sa.Column("based_on", sa.Integer(), nullable=False, comment="the version it was begun from"),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the text as it was written"),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("revision > 0", name=op.f("policy_drafts_revision_check")),
        sa.ForeignKeyConstraint(["based_on"], ["policies.version"], name=op.f("policy_drafts_based_on_fkey")),
        sa.PrimaryKeyConstraint("name", name=op.f("policy_drafts_pkey")),
    )
    op.execute(UNCHANGED)
    op.execute(
        "CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON policies "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_policy()"
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TRIGGER never_changes ON policies")
    op.execute("DROP FUNCTION refuse_change_of_policy")
    op.drop_table("policy_drafts")
    op.drop_constraint(op.f("policies_restores_check"), "policies", type_="check")
    op.drop_constraint(op.f("policies_restores_fkey"), "policies", type_="foreignkey")
    op.drop_column("policies", "restores")
    op.drop_column("policies", "source")
    op.drop_column("policies", "comment")
