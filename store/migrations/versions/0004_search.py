"""search at a million orders, and saved views

Revision: 0004
Revises: 0003
"""

from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection, text

from dom.orders import searching
from dom.orders.order import Order

revision = "0004"
down_revision = "0003"

_SQL: Final = Path(__file__).parent.parent / "sql"
_INDEXES: Final = (
    "orders_placed_ix", "orders_promise_ix", "orders_open_ix", "orders_open_promise_ix", "shipments_tracking_ix",
    "returns_id_ix", "timeline_recorded_ix", "exceptions_open_order_ix",
)  # fmt: skip
_BATCH: Final = 5000
_DOCUMENTS: Final = text("SELECT id, document FROM orders WHERE id > :after ORDER BY id LIMIT :batch")
_WRITE: Final = text(
    "INSERT INTO order_search (order_id, text, postal_code) SELECT * FROM unnest(CAST(:ids AS text[]), "
    "CAST(:texts AS text[]), CAST(:codes AS text[]))"
)
_BACK: Final = """
ALTER TABLE orders ADD COLUMN search_text TEXT;
UPDATE orders o SET search_text = coalesce((SELECT btrim(text) FROM order_search WHERE order_id = o.id), '');
ALTER TABLE orders ALTER COLUMN search_text SET NOT NULL;
DROP TABLE order_search, saved_views;
"""


def upgrade() -> None:
    """Apply. The texts of the orders that are there take about a minute a million."""
    connection = op.get_bind()
    _run(connection, (_SQL / "0004_search.sql").read_text())
    _write_texts(connection)
    _run(connection, (_SQL / "0004_indexes.sql").read_text())


def downgrade() -> None:
    """Take back; saved views are lost. The extension stays: others may use it."""
    _run(op.get_bind(), f"DROP INDEX {', '.join(_INDEXES)};{_BACK}")


def _run(connection: Connection, script: str) -> None:
    connection.exec_driver_sql(script.replace("%", "%%"))


def _write_texts(connection: Connection) -> None:
    after = ""
    while rows := connection.execute(_DOCUMENTS, {"after": after, "batch": _BATCH}).all():
        captured = [Order.model_validate(row.document) for row in rows]
        found = {
            "ids": [row.id for row in rows],
            "texts": [searching.search_text(each) for each in captured],
            "codes": [searching.code(each.ship_to.postal_code) for each in captured],
        }
        connection.execute(_WRITE, found)
        after = rows[-1].id
