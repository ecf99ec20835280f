"""A house at work whose books are broken by hand, compared and mended."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from store import reconcile
from store.reconcile import Repaired, Trust
from tests.worlds import small
from tests.worlds.selling import call_off, hand_over, hold, sell

OPEN, BOOKED, GONE, OVER = "web-open-F1", "web-booked-F1", "web-gone-F1", "web-over-F1"
LEEDS_A = "node_id = 'dc-leeds' AND sku = 'A'"
ENTRY = """
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at) VALUES """


async def fill(engine: AsyncEngine) -> None:
    """Open, booked, shipped and cancelled work, a cart that holds a unit and one that lapsed."""
    await sell(engine, small.order("open", A=2, B=3))
    await sell(engine, small.order("booked", A=1), "wh-london", status="booked")
    gone, over = small.order("gone", A=4), small.order("over", B=1)
    await hand_over(engine, gone, await sell(engine, gone))
    await call_off(engine, over, await sell(engine, over))
    await hold(engine, "live", "dc-leeds", "RARE", 1)
    await hold(engine, "lapsed", "st-york", "A", 2, seconds=0)


async def found(engine: AsyncEngine, trust: Trust = Trust.LEDGER) -> list[tuple[str, str]]:
    """The faults by name, each with its place."""
    findings = await reconcile.find(engine, trust=trust)
    assert findings.total == len(findings.listed)
    return sorted((each.fault.value, str(each.subject)) for each in findings.listed)


async def mend(engine: AsyncEngine, trust: Trust = Trust.LEDGER) -> Repaired:
    return await reconcile.repair(engine, actor="ada", trust=trust, now=datetime.now(UTC))
