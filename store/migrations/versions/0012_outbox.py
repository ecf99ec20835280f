"""messages become the outbox: one table of what is yet to be told, whoever is told it, and in which sequence

Messages are kept. Those that wait are sent by the relay; those that a worker was sending count as such, and the relay
finds them.

Revision: 0012
Revises: 0011
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

WAKING = Path(__file__).parent.parent / "sql" / "0012_outbox.sql"
_TRIGGERS = (("outbox_written", "outbox"), ("import_queued", "stock_imports"), ("rehearsal_queued", "rehearsals"))
_RULES = "SELECT conname FROM pg_constraint WHERE conrelid = 'outbox'::regclass AND starts_with(conname, :prefix)"
_INDEXES = (("messages_occasion_ix", "outbox_occasion_ix"), ("messages_status_ix", "outbox_status_ix"))
_RECEIVER = """
UPDATE outbox SET receiver = CASE medium WHEN 'mail' THEN 'mail/' || recipient ELSE 'webhook/' || order_id END
"""
_SEQUENCE = "what goes to one receiver goes in the sequence of the ids"
_NUMBER = "of the relay that may send; the next one takes the next"
_OPEN = "status IN ('pending', 'sending')"


def _rename_rules(old: str, new: str) -> None:
    """Constraints carry the name of their table; the rules that a column is not null do too, from PostgreSQL 18 on."""
    for rule in op.get_bind().scalars(sa.text(_RULES), {"prefix": f"{old}_"}).all():
        op.execute(f"ALTER TABLE outbox RENAME CONSTRAINT {rule} TO {new}{rule.removeprefix(old)}")


def upgrade() -> None:
    """Apply."""
    op.rename_table("messages", "outbox")
    op.execute("ALTER SEQUENCE messages_id_seq RENAME TO outbox_id_seq")
    _rename_rules("messages", "outbox")
    for old, new in _INDEXES:
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")
    op.alter_column("outbox", "context", new_column_name="payload")
    _rename_rules("outbox_context", "outbox_payload")
    op.alter_column("outbox", "order_id", nullable=True, comment="null: not about one order")
    op.alter_column("outbox", "occasion", nullable=True)
    op.alter_column("outbox", "status", server_default="pending")
    op.drop_constraint("outbox_medium_known_check", "outbox")
    op.create_check_constraint("medium_known", "outbox", "medium IN ('mail', 'webhook', 'availability', 'workflow')")
    op.add_column("outbox", sa.Column("receiver", sa.Text(), nullable=True, comment=_SEQUENCE))
    op.execute(_RECEIVER)
    op.alter_column("outbox", "receiver", nullable=False)
    op.add_column("outbox", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "outbox",
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column(
        "outbox",
        sa.Column("relay", sa.BigInteger(), nullable=True, comment="the number of the relay that is sending it"),
    )
    op.create_index("outbox_receiver_ix", "outbox", ["receiver", "id"], postgresql_where=sa.text(_OPEN))
    op.create_index(
        "outbox_due_ix", "outbox", ["medium", "next_attempt_at", "id"], postgresql_where=sa.text("status = 'pending'")
    )
    op.create_index("outbox_passing_ix", "outbox", ["created_at"], postgresql_where=sa.text("occasion IS NULL"))
    op.drop_index("second_looks_untold_ix", table_name="second_looks")
    op.drop_column("second_looks", "told_at")
    op.execute("UPDATE soft_reservations SET document = document - 'told_at' WHERE document ? 'told_at'")
    op.create_table(
        "outbox_relay",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment=_NUMBER),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("is_only", name=op.f("outbox_relay_is_only_check")),
        sa.PrimaryKeyConstraint("is_only", name=op.f("outbox_relay_pkey")),
    )
    op.execute("INSERT INTO outbox_relay (number) VALUES (0)")
    op.get_bind().exec_driver_sql(WAKING.read_text())


def downgrade() -> None:
    """Take back; what no customer and no order webhook was to be told is dropped."""
    for trigger, table in _TRIGGERS:
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION wake()")
    op.drop_table("outbox_relay")
    op.add_column("second_looks", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "second_looks_untold_ix",
        "second_looks",
        ["told_at", "order_id"],
        postgresql_where=sa.text("taken_in_at IS NULL"),
    )
    op.drop_index("outbox_passing_ix", table_name="outbox")
    op.drop_index("outbox_due_ix", table_name="outbox")
    op.drop_index("outbox_receiver_ix", table_name="outbox")
    for column in ("relay", "next_attempt_at", "attempts", "receiver"):
        op.drop_column("outbox", column)
    op.execute("DELETE FROM outbox WHERE medium NOT IN ('mail', 'webhook')")
    op.drop_constraint("outbox_medium_known_check", "outbox")
    op.alter_column("outbox", "status", server_default=None)
    op.alter_column("outbox", "occasion", nullable=False)
    op.alter_column("outbox", "order_id", nullable=False, comment=None, existing_comment="null: not about one order")
    op.alter_column("outbox", "payload", new_column_name="context")
    _rename_rules("outbox_payload", "outbox_context")
    for old, new in _INDEXES:
        op.execute(f"ALTER INDEX {new} RENAME TO {old}")
    _rename_rules("outbox", "messages")
    op.execute("ALTER SEQUENCE outbox_id_seq RENAME TO messages_id_seq")
    op.rename_table("outbox", "messages")
    op.create_check_constraint("medium_known", "messages", "medium IN ('mail', 'webhook')")
