"""`dom order` shows an order as the store holds it."""

import asyncio

import pytest

from services.database import Database
from store.database import engine
from tests.cli.conftest import Dom
from tests.worlds import small
from tests.worlds.captured import accept


def capture(url: str, *orders: str) -> None:
    async def work() -> None:
        pool = engine.create(url, 1)
        for number in orders:
            await accept(Database(pool), small.order(number, A=2, NEVER=1))
        await pool.dispose()

    asyncio.run(work())


class TestOrder:
    def test_lines_fulfilments_and_timeline(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", "8")
        shown = dom("order", "web-7")
        assert shown.exit_code == 0, shown.output
        for part in ("web-7: accepted", "York YO1 7EP GB", "web-7-F1", "dc-leeds", "NEVER", "accepted", "channel:web"):
            assert part in shown.stdout
        assert "web-8" not in shown.stdout

    @pytest.mark.parametrize("order_id", ["web-9", "'; DROP TABLE orders; --"])
    def test_one_that_is_not_there(self, dom: Dom, order_id: str) -> None:
        refused = dom("order", order_id)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"dom: there is no order {order_id}")
