"""A network small enough to reason about: three nodes in England, a store among them, and a supplier in France.

dc-leeds 100 A, 100 B, 2 RARE | wh-london 50 A, 3 RARE | st-york (pick-up) 5 A | dropship-lille 20 FAR
Every order of these tests is placed on Monday 2 March 2026 at noon UTC, from York, and planned as of then.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import Channel
from dom.network import Node, Sku
from dom.orders.intake import OrderRequest
from store import channels, stock
from store.enums import LedgerKind
from store.network import reference
from store.policy import policies
from tests.worlds.policies import policy
from tests.worlds.sourcing import LEEDS, LONDON, MONDAY_NOON, PARIS, YORK, node, sku, tariff

STOCK = {
    "dc-leeds": {"A": 100, "B": 100, "RARE": 2},
    "wh-london": {"A": 50, "RARE": 3},
    "st-york": {"A": 5},
    "dropship-lille": {"FAR": 20},
}
NODES: tuple[Node, ...] = (
    node("dc-leeds", LEEDS, kind="distribution_centre", priority=10),
    node("wh-london", LONDON, priority=20),
    node("st-york", YORK, kind="store", pickup=True, priority=50),
    node("dropship-lille", PARIS, "FR", kind="supplier", priority=30),
)
SKUS: tuple[Sku, ...] = tuple(sku(code) for code in ("A", "B", "RARE", "FAR", "NEVER"))
POLICY = policy(name="small")


async def write(connection: AsyncConnection) -> None:
    """Write the network, its stock and the policy."""
    for each in NODES:
        await reference.put_node(connection, each)
    await reference.put_skus(connection, SKUS)
    await reference.put_tariffs(connection, [tariff()])
    await policies.publish_policy(connection, POLICY, "test")
    await connection.execute(
        text("INSERT INTO places (country, code, latitude, longitude) VALUES ('GB', 'YO1', :lat, :lon)"),
        {"lat": YORK.latitude, "lon": YORK.longitude},
    )
    for node_id, units in STOCK.items():
        for code, quantity in units.items():
            opening = stock.Movement(node_id, code, quantity, LedgerKind.OPENING, "opening", "opening")
            await stock.move(connection, opening, actor="test", at=datetime(2026, 1, 1, tzinfo=UTC))


async def open_channel(connection: AsyncConnection, name: str = "web") -> None:
    """Register a channel: the API takes orders of no other."""
    await channels.put(connection, Channel(id=name, name=name))


def order(external_id: str = "1", /, **lines_or_fields: Any) -> OrderRequest:
    """An order from York: `order("7", A=2, B=1)`; other fields by their own name: `order("7", A=1, tags=["gift"])`."""
    units = {name: value for name, value in lines_or_fields.items() if name.isupper()}
    fields = {name: value for name, value in lines_or_fields.items() if not name.isupper()}
    body: dict[str, Any] = {
        "channel": "web",
        "external_id": external_id,
        "placed_at": MONDAY_NOON,
        "currency": "GBP",
        "customer": {"id": "C1", "name": "Ada Young", "email": "ada@customer.example", "phone": "+447700900123"},
        "ship_to": {
            "name": "Ada Young",
            "lines": ["12 Mill Lane"],
            "city": "York",
            "postal_code": "YO1 7EP",
            "country": "GB",
        },
        "tags": ["replay"],
        "lines": [
            {"line_id": str(position), "sku": code, "quantity": quantity, "unit_price": 1000}
            for position, (code, quantity) in enumerate((units or {"A": 1}).items(), 1)
        ],
    }
    return OrderRequest.model_validate(body | fields)
