"""The exception queue: what a person must look at. The business key opens each one once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import listed, to_json


class Unsourced(StrEnum):
    """Exceptions that units without a node are the cause of. They close themselves once no unit of the order waits."""

    BACKORDER = "backorder"
    """Units lost their node, and no other has them."""
    SOURCING = "sourcing"
    """The policy asks for a person."""
    IMPOSSIBLE = "cannot_be_sourced"
    """No node may ever give the goods, whatever it holds."""


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


_UNSOURCED = text("""
INSERT INTO exceptions (order_id, kind, business_key, detail) VALUES (:order_id, :kind, :key, :detail)
ON CONFLICT (business_key) DO UPDATE SET detail = EXCLUDED.detail, status = 'open', closed_at = NULL,
    opened_at = CASE WHEN exceptions.status = 'open' THEN exceptions.opened_at ELSE now() END
WHERE :anew OR exceptions.status = 'open' OR exceptions.owner IS NULL
""")
_SOURCED: Final = text(f"""
UPDATE exceptions SET status = 'closed', closed_at = now()
WHERE order_id = :order_id AND status = 'open' AND kind IN ({listed(Unsourced)})
  AND NOT EXISTS (SELECT FROM order_lines WHERE order_id = :order_id AND backordered > 0)
""")


async def unsourced(
    connection: AsyncConnection, order_id: str, kind: Unsourced, key: str, detail: str, *, anew: bool
) -> None:
    """Units of an order have no node. An exception that closed itself is opened again; one that a person closed (who is
    its owner) only `anew`: the units had a node and lost it.
    """
    await connection.execute(
        _UNSOURCED,
        {"order_id": order_id, "kind": kind, "key": f"{order_id}:{key}", "detail": detail[:1000], "anew": anew},
    )


async def close_sourced(connection: AsyncConnection, order_id: str) -> None:
    """Close what is open because units of the order have no node, if none waits any more. Call it after units moved."""
    await connection.execute(_SOURCED, {"order_id": order_id})


async def close(connection: AsyncConnection, order_id: str, kind: Unsourced) -> None:
    """The cause of the order's exceptions of a kind is gone."""
    await connection.execute(
        text("""
        UPDATE exceptions SET status = 'closed', closed_at = now()
        WHERE order_id = :order_id AND kind = :kind AND status = 'open'
        """),
        {"order_id": order_id, "kind": kind},
    )


async def close_one(connection: AsyncConnection, business_key: str) -> None:
    """The cause of one exception is gone."""
    await connection.execute(
        text("""
        UPDATE exceptions SET status = 'closed', closed_at = now() WHERE business_key = :key AND status = 'open'
        """),
        {"key": business_key},
    )
