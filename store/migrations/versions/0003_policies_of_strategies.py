"""policies of strategies, and what the planner saw

Revision: 0003
Revises: 0002
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

COSTS = ("split_penalty", "lateness_per_day", "distance_per_100_km", "priority_weight")


def _as_strategies(flat: dict[str, Any]) -> dict[str, Any]:
    """A policy of the first form as one strategy for every order: it decides as it did."""
    return {
        "name": flat["name"],
        "currency": flat["currency"],
        "exchange_rates": flat["exchange_rates"],
        "strategies": [
            {
                "name": "everything",
                "fences": {"maximum_distance_km": flat["maximum_distance_km"]},
                "cost": {name: flat[name] for name in COSTS},
                "split": {"maximum_shipments": flat["maximum_shipments"]},
                "retry": {
                    "after_minutes": flat["backorder_retry_minutes"],
                    "cancel_after_days": flat["backorder_cancel_after_days"],
                },
            }
        ],
        "second_look": {"enabled": False},
    }


def _flat(policy: dict[str, Any]) -> dict[str, Any]:
    """What the first form can say of a policy: its last strategy's distance, costs and patience."""
    last = policy["strategies"][-1]
    retry = last.get("retry", {})
    return {
        "name": policy["name"],
        "currency": policy.get("currency", "GBP"),
        "exchange_rates": policy.get("exchange_rates", {}),
        "maximum_distance_km": last.get("fences", {}).get("maximum_distance_km", {}),
        "maximum_shipments": last.get("split", {}).get("maximum_shipments", 3),
        "backorder_retry_minutes": retry.get("after_minutes", 360),
        "backorder_cancel_after_days": retry.get("cancel_after_days", 14),
        **{name: value for name, value in last.get("cost", {}).items() if name in COSTS},
    }


def _rewrite(change: Any) -> None:
    connection = op.get_bind()
    for version, document in connection.execute(sa.text("SELECT version, document FROM policies")).all():
        connection.execute(
            sa.text("UPDATE policies SET document = CAST(:document AS jsonb) WHERE version = :version"),
            {"version": version, "document": json.dumps(change(document))},
        )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "networks",
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the document"),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("networks_pkey")),
    )
    op.add_column(
        "sourcing_decisions",
        sa.Column(
            "business_key",
            sa.Text(),
            nullable=True,
            comment="what asked for it: the order's nth sourcing, a second look",
        ),
    )
    op.execute("UPDATE sourcing_decisions SET business_key = 'sourced:' || attempt")
    op.alter_column("sourcing_decisions", "business_key", nullable=False)
    op.alter_column("sourcing_decisions", "document", comment="demand and decision")
    op.add_column(
        "sourcing_decisions",
        sa.Column(
            "snapshot",
            postgresql.JSONB(astext_type=sa.Text()),
            comment="stock, used capacity, SKUs and stock values the planner saw; null: before 0003",
        ),
    )
    op.add_column("sourcing_decisions", sa.Column("network", sa.Text(), comment="the nodes and tariffs it saw"))
    op.create_foreign_key(
        op.f("sourcing_decisions_network_fkey"), "sourcing_decisions", "networks", ["network"], ["digest"]
    )
    op.create_unique_constraint(
        op.f("sourcing_decisions_order_id_business_key_key"), "sourcing_decisions", ["order_id", "business_key"]
    )
    op.create_index("sourcing_decisions_decided_ix", "sourcing_decisions", ["decided_at", "order_id", "attempt"])
    _rewrite(_as_strategies)


def downgrade() -> None:
    """Undo."""
    _rewrite(_flat)
    op.drop_index("sourcing_decisions_decided_ix", "sourcing_decisions")
    op.drop_constraint(op.f("sourcing_decisions_order_id_business_key_key"), "sourcing_decisions", type_="unique")
    op.drop_constraint(op.f("sourcing_decisions_network_fkey"), "sourcing_decisions", type_="foreignkey")
    op.drop_column("sourcing_decisions", "network")
    op.drop_column("sourcing_decisions", "snapshot")
    op.alter_column("sourcing_decisions", "document", comment=None)
    op.drop_column("sourcing_decisions", "business_key")
    op.drop_table("networks")
