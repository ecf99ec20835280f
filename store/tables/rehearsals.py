"""Rehearsals of a policy over recorded orders, and shadows: drafts that decide beside the live policy."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.enums import RehearsalStatus
from store.tables.common import metadata, moment, one_of, serial

_SEEN = "decisions written down before were looked at, but for those that were under way"

rehearsals = Table(
    "rehearsals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False, server_default=RehearsalStatus.QUEUED),
    Column("policy", JSONB, comment="the policy that is rehearsed; null: each decision's own"),
    Column("policy_name", Text, nullable=False, comment="what it is called in the report"),
    Column("orders", Text, nullable=False, comment="which orders, as they were asked for"),
    Column("total", Integer, nullable=False, server_default=text("0"), comment="decisions to be made again"),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("detail", Text, nullable=False, server_default="", comment="why it failed or was cancelled"),
    Column("report", JSONB),
    Column("asked_by", Text, nullable=False),
    moment("created_at", now=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    one_of("status", RehearsalStatus),
    CheckConstraint("done >= 0 AND done <= total", name="progress"),
    CheckConstraint("(status = 'done') = (report IS NOT NULL)", name="done_has_report"),
    Index("rehearsals_created_ix", "created_at", "id"),
    Index("rehearsals_open_ix", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
)

shadows = Table(
    "shadows",
    metadata,
    serial(),
    Column("name", Text, nullable=False, comment="the draft's"),
    Column("policy", JSONB, nullable=False, comment="the draft as it stood when the shadow began"),
    Column("started_by", Text, nullable=False),
    moment("started_at", now=True),
    Column("ended_by", Text),
    moment("ended_at", nullable=True),
    Column("seen_until", DateTime(timezone=True), nullable=False, server_default=func.now(), comment=_SEEN),
    Index("shadows_running_ix", "name", unique=True, postgresql_where=text("ended_at IS NULL")),
    Index("shadows_name_ix", "name", "id"),
)

# What a shadow decided, beside what was decided; it has no effect on anything.
shadow_decisions = Table(
    "shadow_decisions",
    metadata,
    Column("shadow", BigInteger, ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("differs", Boolean, nullable=False),
    Column("document", JSONB, nullable=False, comment="nodes, strategy, cost and units unfilled, of both"),
    moment("decided_at"),
    moment("recorded_at", now=True),
    ForeignKeyConstraint(["order_id", "attempt"], ["sourcing_decisions.order_id", "sourcing_decisions.attempt"]),
    Index("shadow_decisions_differs_ix", "shadow", "recorded_at", postgresql_where=text("differs")),
)
