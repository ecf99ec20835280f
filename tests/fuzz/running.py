"""One world for many orders: a worker, the API over it, and what the store shows of one order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from dom import ids
from settings import Settings
from store import channels, reference, stock
from store.kinds import LedgerKind
from tests.unit.worlds import MONDAY_NOON, sku
from tests.worlds import small
from tests.worlds.running import House

_LEDGER = text("""
SELECT s.node_id, s.on_hand, s.reserved,
       (SELECT coalesce(sum(on_hand_delta), 0) FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku)
           AS moved,
       (SELECT coalesce(sum(reserved_delta), 0) FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku)
           AS taken,
       (SELECT coalesce(sum(quantity), 0) FROM reservations r WHERE r.node_id = s.node_id AND r.sku = s.sku
        AND r.status = 'active' AND r.kind = 'firm') AS held
FROM stock s WHERE s.sku = :sku
""")
_WORK = text("""
SELECT f.id, f.node_id, f.status, coalesce(sum(l.quantity), 0)::int AS units
FROM fulfilments f LEFT JOIN fulfilment_lines l ON l.fulfilment_id = f.id WHERE f.order_id = :id
GROUP BY f.id ORDER BY length(f.id), f.id
""")
_ORDER = text("""
SELECT o.status, l.backordered, l.cancelled,
       l.backordered > 0 AND (SELECT max(id) FROM timeline WHERE order_id = o.id AND kind IN ('accepted', 'sourced'))
           < (SELECT max(id) FROM timeline WHERE order_id = o.id AND kind IN ('fulfilment_lost', 'fulfilment_rejected'))
           AS unsourced,
       (SELECT coalesce(jsonb_object_agg(s.id, s.status), '{}') FROM shipments s
        JOIN shipment_fulfilments sf ON sf.shipment_id = s.id JOIN fulfilments f ON f.id = sf.fulfilment_id
        WHERE f.order_id = o.id) AS parcels,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, data)), '[]') FROM exceptions e WHERE e.order_id = o.id)
           AS exceptions,
       (SELECT count(*) FROM timeline t WHERE t.order_id = o.id AND t.kind = 'report_out_of_turn') AS traces,
       (SELECT coalesce(jsonb_object_agg(kind, number), '{}') FROM (
            SELECT kind, count(*) AS number FROM messages WHERE order_id = o.id GROUP BY kind) m) AS told,
       (SELECT count(*) FROM carrier_events e JOIN shipments s USING (carrier, tracking_number)
        JOIN shipment_fulfilments sf ON sf.shipment_id = s.id JOIN fulfilments f ON f.id = sf.fulfilment_id
        WHERE f.order_id = o.id) AS events
FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.id = :id
""")
_TOLD = ("shipped", "delivered", "returned_to_sender", "cancelled")
_TROUBLES = ("parcel_lost", "parcel_returned_to_sender")


@dataclass(frozen=True)
class World:
    """The running system."""

    client: Client
    engine: AsyncEngine
    http: httpx.AsyncClient

    async def stock_up(self, code: str, units: Mapping[str, int]) -> None:
        """A SKU of its own with so many units at each node."""
        async with self.engine.begin() as connection:
            await small.open_channel(connection)
            await reference.put_skus(connection, [sku(code)])
            for node_id, quantity in units.items():
                opening = stock.Movement(node_id, code, quantity, LedgerKind.OPENING, "opening", "opening")
                await stock.move(connection, opening, actor="fuzz", at=MONDAY_NOON)

    async def place(self, number: str, code: str, units: int) -> str:
        """Hand an order over; answers its id."""
        document = small.order(number).model_dump(mode="json") | {
            "lines": [{"line_id": "1", "sku": code, "quantity": units, "unit_price": 100}]
        }
        answer = await self.http.post("/v1/orders", json=document)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    async def heeded(self, order_id: str) -> None:
        """Whatever the order's process was told before, it has worked off: a query comes after it."""
        await self.client.get_workflow_handle(ids.order_workflow_id(order_id)).query("__stack_trace")

    async def shown(self, order_id: str, code: str) -> dict[str, Any]:
        """The order as the store shows it, in the words of the model. AssertionError if the books do not agree."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(_ORDER, {"id": order_id})).one()
            work = (await connection.execute(_WORK, {"id": order_id})).all()
            books = (await connection.execute(_LEDGER, {"sku": code})).all()
        for each in books:
            assert each.on_hand == each.moved, f"on hand and ledger differ at {each.node_id}"
            assert each.reserved == each.taken == each.held, f"reserved differs at {each.node_id}"
        return {
            "sourced": not row.unsourced,
            "order": (row.status, row.backordered, row.cancelled),
            "work": {each.id: (each.node_id, each.status, each.units) for each in work},
            "parcels": dict(row.parcels),
            "stock": {each.node_id: (each.on_hand, each.reserved) for each in books},
            "strays": sorted((_stray(data) for kind, data in row.exceptions if kind == "report_out_of_turn"), key=str),
            "traces": row.traces,
            "troubles": sorted((kind, data["fulfilment_id"]) for kind, data in row.exceptions if kind in _TROUBLES),
            "told": {kind: number for kind, number in row.told.items() if kind in _TOLD},
            "events": row.events,
        }


def _stray(data: Mapping[str, Any]) -> tuple[str, str | None, str, str]:
    said = data["report"]
    if "shipment_id" in data and said not in {"delivered", "lost", "returned_to_sender"}:
        said = "seen"
    return data["fulfilment_id"], data.get("shipment_id"), said, data["on_hand"]


@asynccontextmanager
async def running(client: Client, engine: AsyncEngine) -> AsyncIterator[World]:
    """A worker and the API while the block runs. What comes in is not dealt out: no stock comes in."""
    async with engine.begin() as connection:
        await channels.put(connection, channels.Channel(id="web", name="web"))
    async with House(client, engine, allocates=False).working() as house:
        app = create_app(Settings(task_queue=house.task_queue), engine, client)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://api", timeout=30
            ) as http,
        ):
            yield World(client, engine, http)
            await asyncio.sleep(0.1)
