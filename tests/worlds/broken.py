"""A database edited by hand: what its rules refuse is written all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

TABLES = (
    "stock", "stock_ledger", "reservations", "soft_reservations", "node_days", "orders", "order_lines", "fulfilments",
    "fulfilment_lines", "inbound", "inbound_lines", "inbound_receipts",
)  # fmt: skip

_CHECKS = text("""
SELECT conrelid::regclass::text AS of, conname AS name, pg_get_constraintdef(oid) AS rule FROM pg_constraint
WHERE contype = 'c' AND conrelid = ANY(CAST(:tables AS regclass[]))
""")
_REQUIRED = text("""
SELECT c.table_name AS of, c.column_name AS name FROM information_schema.columns c
WHERE c.table_schema = 'public' AND c.table_name = ANY(:tables) AND c.is_nullable = 'NO' AND NOT EXISTS (
    SELECT FROM information_schema.key_column_usage k JOIN information_schema.table_constraints t
        USING (constraint_schema, constraint_name)
    WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name AND k.column_name = c.column_name)
""")


@asynccontextmanager
async def broken(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Within the block no check, no key and no trigger is in the way. Afterwards they stand again, for what comes."""
    tables = {"tables": list(TABLES)}
    async with engine.begin() as connection:
        checks = (await connection.execute(_CHECKS, tables)).all()
        for check in checks:
            await connection.execute(text(f'ALTER TABLE {check.of} DROP CONSTRAINT "{check.name}"'))
        for column in (await connection.execute(_REQUIRED, tables)).all():
            await connection.execute(text(f"ALTER TABLE {column.of} ALTER COLUMN {column.name} DROP NOT NULL"))
        await connection.execute(text("SET session_replication_role = replica"))
        yield connection
        await connection.execute(text("SET session_replication_role = DEFAULT"))
    async with engine.begin() as connection:
        for check in checks:
            rule = check.rule.removesuffix(" NOT VALID")
            await connection.execute(text(f'ALTER TABLE {check.of} ADD CONSTRAINT "{check.name}" {rule} NOT VALID'))


async def edit(engine: AsyncEngine, *statements: str) -> None:
    """Edit the database by hand."""
    async with broken(engine) as connection:
        for statement in statements:
            await connection.execute(text(statement))
