"""a message in quarantine can be dismissed; `refused` was never an outcome of one

Revision: 0018
Revises: 0017
"""

from typing import Final

from alembic import op

revision = "0018"
down_revision = "0017"

_NAME: Final = "channel_messages_outcome_known_check"
_OTHERS: Final = "'received', 'captured', 'changed', 'unchanged', 'stale', 'duplicate', 'ignored', 'quarantined'"


def _replace(outcome: str) -> None:
    op.execute(f"ALTER TABLE channel_messages DROP CONSTRAINT {_NAME}")
    added = f"ADD CONSTRAINT {_NAME} CHECK (outcome IN ({_OTHERS}, '{outcome}'))"
    op.execute(f"ALTER TABLE channel_messages {added} NOT VALID")
    op.execute(f"ALTER TABLE channel_messages VALIDATE CONSTRAINT {_NAME}")


def upgrade() -> None:
    """Apply."""
    _replace("dismissed")


def downgrade() -> None:
    """Take back: what was dismissed waits in quarantine again."""
    op.execute("UPDATE channel_messages SET outcome = 'quarantined' WHERE outcome = 'dismissed'")
    _replace("refused")
