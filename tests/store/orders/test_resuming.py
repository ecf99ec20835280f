"""What a process that begins anew reads of the order: since when its units wait."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.orders import resuming
from tests.worlds import small
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

DAY = 86_400
RELEASE = (MONDAY_NOON + timedelta(days=5)).isoformat()
ALL_PLACED, WAITS, PREORDERED = (0, None), (1, None), (1, RELEASE)
_DECIDED = text("""
INSERT INTO sourcing_decisions (order_id, attempt, business_key, policy_version, cause, first_fulfilment, document,
                                decided_at, recorded_at)
SELECT :id, CAST(:number AS int), 'sourced:' || CAST(:number AS int), max(version), 'looked again', 1,
       CAST(:document AS jsonb), now(), now() - make_interval(days => :days) FROM policies
""")


@pytest.mark.parametrize(
    ("decisions", "days"),
    [
        ([(20, WAITS), (3, WAITS)], 20),
        ([(20, WAITS), (10, ALL_PLACED), (4, WAITS), (3, WAITS)], 4),
        ([(20, WAITS), (10, ALL_PLACED)], 0),
        ([(20, PREORDERED), (1, WAITS)], 1),
        ([(20, PREORDERED)], 0),
        ([(20, WAITS), (10, PREORDERED), (2, WAITS), (1, WAITS)], 2),
    ],
)
async def test_units_wait_since_they_could_have_been_sent(
    world: AsyncEngine, decisions: list[tuple[int, tuple[int, str | None]]], days: int
) -> None:
    order = small.order("waits-since", A=1)
    await place(world, order)
    async with world.begin() as connection:
        for number, (days_ago, (unfilled, release)) in enumerate(decisions, 1):
            said: dict[str, object] = {"decision": {"unfilled": [{}] * unfilled, "next_release": release}}
            parameters = {"id": order.order_id, "number": number, "document": json.dumps(said), "days": days_ago}
            await connection.execute(_DECIDED, parameters)
        found = await resuming.last_sourcing(connection, order.order_id)
    assert (found.number, found.decided_seconds) == (len(decisions), decisions[-1][0] * DAY)
    assert found.waiting_seconds == days * DAY
