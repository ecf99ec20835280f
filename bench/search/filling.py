"""A database filled with made orders by COPY."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from bench.search.made import CHANNELS, COLUMNS, NODES, SKUS, Maker, sku

Say = Callable[[str], None]
_INDEXES = """
SELECT tablename || '.' || indexname, indexdef, format('%%I', indexname)::text FROM pg_indexes i
WHERE schemaname = 'public' AND tablename = ANY(%s)
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = i.indexname)
ORDER BY 1
"""
_NETWORK = (
    (
        """INSERT INTO nodes (id, kind, country, active, daily_capacity, document)
        SELECT n, 'warehouse', 'GB', true, 0, '{}' FROM unnest(%s::text[]) n""",
        list(NODES),
    ),
    ("INSERT INTO skus (id, document) SELECT s, '{}' FROM unnest(%s::text[]) s", [sku(n) for n in range(SKUS)]),
    ("INSERT INTO channels (id, document) SELECT c, '{}' FROM unnest(%s::text[]) c", list(CHANNELS)),
)


def fill(url: str, maker: Maker, say: Say = lambda _: None) -> None:
    """Fill the tables of a database that has the schema and no orders; needs a superuser.

    Foreign keys are not checked and indexes are made at the end: a million orders take minutes, not hours.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        for statement, values in _NETWORK:
            connection.execute(statement, [values])
        indexes = connection.execute(_INDEXES, [list(COLUMNS)]).fetchall()
        for _, _, name in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
        orders = 0
        for batch in maker.batches():
            for table, columns in COLUMNS.items():
                copying = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(columns))
                with connection.cursor().copy(copying) as copy:
                    for row in batch[table]:
                        copy.write_row(row)
            orders += len(batch["orders"])
            if orders % 100_000 == 0:
                say(f"{orders:,} orders written")
        for title, definition, _ in indexes:
            connection.execute(sql.SQL(definition))
            say(f"made {title}")
    _settle(url)


def _settle(url: str) -> None:
    """Statistics and the visibility map, as autovacuum would have made them in time."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def sizes(url: str) -> list[TupleRow]:
    """Bytes of the orders' table and of each index that search has added."""
    with psycopg.connect(url) as connection:
        return connection.execute("""
            SELECT relname, pg_relation_size(oid) FROM pg_class
            WHERE relname IN ('orders', 'order_search', 'order_search_pkey') OR relkind = 'i' AND relname ~
                '^(order_search_|orders_(placed|promise|open)|shipments_tracking|returns_id_|timeline_rec|exceptions_open_o)'
            ORDER BY 1
        """).fetchall()
