"""The exception queue: what a person must look at. The business key opens each one once."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def open_(connection: AsyncConnection, order_id: str | None, kind: str, business_key: str, detail: str) -> None:
    """Put an order's trouble into the queue; without an order it is a node's or a feed's."""
    await connection.execute(
        text("""
        INSERT INTO exceptions (order_id, kind, business_key, detail)
        VALUES (CAST(:order_id AS text), :kind, :key, :detail)
        ON CONFLICT (business_key) DO NOTHING
        """),
        {"order_id": order_id, "kind": kind, "key": business_key, "detail": detail[:1000]},
    )
