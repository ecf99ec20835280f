"""corrections of what channels send, the rules that people make of them, and what finds SKUs that resemble others

Revision: 0017
Revises: 0016
"""

from pathlib import Path
from typing import Final

from alembic import op

revision = "0017"
down_revision = "0016"

_SQL: Final = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Apply."""
    op.get_bind().exec_driver_sql((_SQL / "0017_corrections.sql").read_text())


def downgrade() -> None:
    """Take back: what was corrected, and the rules, are gone."""
    for table in ("channel_corrections", "channel_correction_rules"):
        op.drop_table(table)
    for index in ("skus_name_like_ix", "skus_id_like_ix", "skus_folded_ix"):
        op.drop_index(index, "skus")
    op.execute("DROP FUNCTION sku_fold(text)")
