"""what stock is worth

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stock_values",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column(
            "opportunity",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the shadow price of a unit",
        ),
        sa.Column("currency", sa.Text(), server_default="", nullable=False, comment="the policy's, when it was priced"),
        sa.Column(
            "units", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="free when it was priced"
        ),
        sa.Column(
            "outflow",
            sa.Float(),
            server_default=sa.text("0"),
            nullable=False,
            comment="units a day expected to leave it",
        ),
        sa.Column(
            "daily_demand",
            sa.Float(),
            server_default=sa.text("0"),
            nullable=False,
            comment="units a day it is asked for",
        ),
        sa.Column("priced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fades_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "markdown",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="what a unit loses by staying",
        ),
        sa.Column("marked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("opportunity >= 0 AND markdown >= 0", name=op.f("stock_values_amounts_check")),
        sa.CheckConstraint("outflow >= 0 AND daily_demand >= 0", name=op.f("stock_values_rates_check")),
        sa.CheckConstraint(
            "(priced_at IS NULL) = (fades_at IS NULL) AND priced_at < fades_at",
            name=op.f("stock_values_lifetime_check"),
        ),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("stock_values_node_id_fkey")),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name=op.f("stock_values_sku_fkey")),
        sa.PrimaryKeyConstraint("sku", "node_id", name=op.f("stock_values_pkey")),
    )
    op.create_index(
        "stock_values_fades_ix", "stock_values", ["fades_at"], postgresql_where=sa.text("priced_at IS NOT NULL")
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("stock_values")
