"""A small network for tests of stock alone: nodes, SKUs, channels, and the bare orders firm reservations need."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared import ids
from store.database.parameters import to_rows
from store.network import reference
from store.stock import Reserved
from tests.worlds.sourcing import MONDAY, MONDAY_NOON, node, sku

_CHANNELS = text(
    "INSERT INTO channels (id, document) SELECT id, '{}' FROM unnest(CAST(:channels AS text[])) AS c (id)"
    " ON CONFLICT DO NOTHING"
)
_ORDER = text("""
INSERT INTO orders (id, channel, external_id, customer_id, status, currency, goods_total, document, content_hash,
                    placed_at)
VALUES (:id, 'web', :id, 'C1', 'in_fulfilment', 'GBP', 0, '{}', '', :at)
""")
_LINES = text("""
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(CAST(:units AS jsonb))
        AS u (fulfilment_id text, line_id text, node_id text, sku text, quantity int)
), lines AS (
    INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price)
    SELECT :order_id, line_id, row_number() OVER (ORDER BY line_id), sku, quantity, 100 FROM asked
), released AS (
    INSERT INTO fulfilments (id, order_id, node_id, status, method, ship_day, cost, ship_by, promise_earliest,
                             promise_latest, released_at)
    SELECT DISTINCT fulfilment_id, :order_id, node_id, 'released', 'standard', CAST(:day AS date), 0,
           CAST(:at AS timestamptz), CAST(:at AS timestamptz), CAST(:at AS timestamptz), CAST(:at AS timestamptz)
    FROM asked
)
INSERT INTO fulfilment_lines (fulfilment_id, line_id, order_id, sku, quantity)
SELECT fulfilment_id, line_id, :order_id, sku, quantity FROM asked
""")


async def network(
    connection: AsyncConnection,
    nodes: Iterable[str],
    skus: Iterable[str],
    channels: Iterable[str],
    *,
    capacity: int = 1_000_000,
    express: int = 1_000_000,
) -> None:
    """Nodes that may do so many fulfilments a day, so many of them express; SKUs; channels without a rule."""
    limits = {"daily_capacity": capacity, "service_capacity": {"express": express}}
    for node_id in nodes:
        await reference.put_node(connection, node(node_id, **limits))
    await reference.put_skus(connection, [sku(code) for code in skus])
    await connection.execute(_CHANNELS, {"channels": list(channels)})


def units_of(order_id: str, wanted: Mapping[tuple[str, str], int]) -> list[Reserved]:
    """A line for each (node, SKU), a fulfilment for each node."""
    numbers = {place: number for number, place in enumerate(dict.fromkeys(place for place, _ in wanted), 1)}
    return [
        Reserved(ids.fulfilment_id(order_id, numbers[place]), str(position), place, code, quantity)
        for position, ((place, code), quantity) in enumerate(wanted.items(), 1)
    ]


async def write_order(connection: AsyncConnection, order_id: str, units: Sequence[Reserved]) -> None:
    """The order, its lines and its fulfilments, of which nothing is reserved yet."""
    await connection.execute(_ORDER, {"id": order_id, "at": MONDAY_NOON})
    rows = to_rows(
        {
            "fulfilment_id": unit.fulfilment_id,
            "line_id": unit.line_id,
            "node_id": unit.node_id,
            "sku": unit.sku,
            "quantity": unit.quantity,
        }
        for unit in units
    )
    await connection.execute(_LINES, {"order_id": order_id, "units": rows, "day": MONDAY, "at": MONDAY_NOON})
