"""Re-allocations in the tests: RARE is scarce (2 at dc-leeds, 3 at wh-london), a vip's day late weighs five times."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services import reallocation
from services.database import Database
from services.reallocation import ReallocationRun
from store.enums import InboundKind
from store.inbound import Announcement
from store.policy import policies
from tests.worlds import inbounds, small
from tests.worlds.captured import accept
from tests.worlds.policies import changed
from tests.worlds.sourcing import MONDAY_NOON

TUESDAY = date(2026, 3, 3)
VIP = {"id": "C2", "name": "Eve Old", "email": "eve@customer.example", "customer_class": "vip"}
TERMS: dict[str, Any] = {"enabled": True, "classes": {"vip": 5.0}, "minimum_gain": 100}


async def policy(engine: AsyncEngine, **terms: Any) -> None:
    """Publish a policy that re-allocates."""
    async with engine.begin() as connection:
        document = changed(small.POLICY, reallocation={**TERMS, **terms})
        await policies.publish_policy(connection, document, "test")


async def can_wait(database: Database, name: str = "waits", days: int = 6, /, **more: Any) -> str:
    """An order whose customer was told that it may come so many days after Monday noon; answers its id."""
    order = small.order(name, **more)
    await accept(database, order)
    await tell(database.engine, order.order_id, days)
    return order.order_id


async def tell(engine: AsyncEngine, order_id: str, days: int) -> None:
    """The order's customer was told that all of it may come so many days after Monday noon."""
    query = """
        WITH o AS (UPDATE orders SET promise_latest = :told WHERE id = :id)
        UPDATE order_lines SET promised = :told WHERE order_id = :id
    """
    async with engine.begin() as connection:
        await connection.execute(text(query), {"told": MONDAY_NOON + timedelta(days=days), "id": order_id})


async def in_danger(database: Database, name: str = "vip", /, **more: Any) -> str:
    """A vip's order of what nobody has any more, wanted by Wednesday; answers its id."""
    fields = {"customer": VIP, "requested_by": MONDAY_NOON + timedelta(days=3), **more}
    order = small.order(name, **fields)
    await accept(database, order)
    return order.order_id


async def comes_on(
    engine: AsyncEngine, day: date, node: str = "dc-leeds", reference: str = "PO-1", **units: int
) -> None:
    """Goods are announced for a day."""
    lines = tuple(units.items())
    await inbounds.announce(engine, Announcement(reference, InboundKind.PURCHASE_ORDER, node, None, day, 100, lines))


async def run(database: Database, now: datetime = MONDAY_NOON) -> ReallocationRun:
    """A run, as of Monday noon."""
    return await reallocation.run(database, now)
