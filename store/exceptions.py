"""The exception queue: what a person must look at. The business key opens each one once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.rows import to_json


async def open_(
    connection: AsyncConnection,
    order_id: str | None,
    kind: str,
    business_key: str,
    detail: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Put an order's trouble into the queue; without an order it is a node's or a feed's.

    `data` says what the detail says, for programs.
    """
    await connection.execute(
        text("""
        INSERT INTO exceptions (order_id, kind, business_key, detail, data)
        VALUES (CAST(:order_id AS text), :kind, :key, :detail, CAST(:data AS jsonb))
        ON CONFLICT (business_key) DO NOTHING
        """),
        {
            "order_id": order_id,
            "kind": kind,
            "key": business_key,
            "detail": detail[:1000],
            "data": to_json(dict(data or {})),
        },
    )
