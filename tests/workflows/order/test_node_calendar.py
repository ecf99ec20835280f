"""A node's calendar that changes after it was given work: what it cannot do on its day any more is found."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.retiring_nodes import Retiring
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.retiring import EXCEPTIONS, LEEDS, YORK, change, over
from tests.worlds.running import House
from tests.worlds.steps import until_event, until_released

CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "closed that day": (
        {"opening_hours": "Tu-Sa 08:00-18:00"},
        "the node is closed on Mon 2026-03-02, the day it was planned for",
    ),
    "a holiday": (
        {"opening_hours": "Mo-Sa 08:00-18:00; 2026 Mar 02 off"},
        "the node is closed on Mon 2026-03-02, the day it was planned for",
    ),
    "an earlier cut-off": (
        {"cut_off": time(9)},
        "the node's cut-off on Mon 2026-03-02 is 09:00 now, and is past",
    ),
    "another time zone": (
        {"time_zone": "Asia/Tokyo"},
        "the node's cut-off on Mon 2026-03-02 is 16:00 now, and is past",
    ),
}


@pytest.fixture
def job(world: AsyncEngine) -> Retiring:
    return Retiring(world)


@pytest.mark.parametrize("name", CHANGES)
class TestUnbegunWork:
    async def test_is_planned_anew_with_another_promise(self, house: House, job: Retiring, name: str) -> None:
        """Only that node holds it: it is asked again, for a day on which it works."""
        fields, why = CHANGES[name]
        order = small.order(f"calendar-{list(CHANGES).index(name)}", B=2)
        await house.send(order)
        await job.run()
        query = "SELECT promise_latest FROM orders"
        before = await one(house.engine, query)
        assert await one(house.engine, "SELECT count(*) FROM fulfilments WHERE status = 'released'") == 1
        await change(house.engine, LEEDS, **fields)
        await job.run()
        assert await until_released(house, order, 2) == "dc-leeds"
        first = "SELECT status, reason FROM fulfilments WHERE id = :id"
        assert await rows(house.engine, first, id=f"{order.order_id}-F1") == [("rejected", why)]
        assert await one(house.engine, query) > before  # type: ignore[operator]
        assert await one(house.engine, "SELECT backordered FROM order_lines") == 0
        await job.run()
        assert await one(house.engine, "SELECT count(*) FROM fulfilments") == 2
        assert await rows(house.engine, EXCEPTIONS) == []
        await over(house, order)

    async def test_begun_work_stands_before_a_person(self, house: House, job: Retiring, name: str) -> None:
        fields, why = CHANGES[name]
        order = small.order(f"calendar-begun-{list(CHANGES).index(name)}", B=2)
        await house.send(order)
        await house.node(order, "accept")
        await until_event(house, order, "fulfilment_accepted")
        await change(house.engine, LEEDS, **fields)
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == [("work_at_a_node", "open")]
        assert why in str(await one(house.engine, "SELECT detail FROM exceptions"))
        await change(house.engine, LEEDS)
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == [("work_at_a_node", "closed")]
        await over(house, order)


class TestAPickUp:
    @pytest.mark.parametrize(
        ("number", "hours", "why"),
        [
            (0, "Tu-Sa 08:00-18:00", "the node is closed on Mon 2026-03-02, the day it was planned for"),
            (1, "Mo-Sa 13:00-18:00", "the node does not open for long enough before Mon 2026-03-02 14:00 now"),
        ],
    )
    async def test_that_is_not_ready_in_time_any_more(
        self, house: House, job: Retiring, number: int, hours: str, why: str
    ) -> None:
        order = small.order(f"calendar-pickup-{number}", A=2, shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        await change(house.engine, YORK, opening_hours=hours)
        await job.run()
        assert await until_released(house, order, 2) == "st-york"
        reasons = "SELECT reason FROM fulfilments WHERE id = :id"
        assert await one(house.engine, reasons, id=f"{order.order_id}-F1") == why
        await over(house, order)


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize(
        ("number", "fields"),
        [
            (0, {"cut_off": time(18)}),
            (1, {"cut_off": time(14)}),
            (2, {"opening_hours": "Mo 09:00-17:00"}),
            (3, {"opening_hours": "Mo-Sa 08:00-18:00; 2026 Mar 09 off"}),
            (4, {"daily_capacity": 1}),
        ],
    )
    async def test_work_that_can_still_be_done_on_its_day(
        self, house: House, job: Retiring, number: int, fields: dict[str, Any]
    ) -> None:
        order = small.order(f"calendar-kept-{number}", B=2)
        await house.send(order)
        await change(house.engine, LEEDS, **fields)
        await job.run()
        await house.handle(order).query("standing")
        assert await rows(house.engine, "SELECT status FROM fulfilments") == [("released",)]
        await over(house, order)

    async def test_work_that_is_late_by_itself(self, house: House) -> None:
        """A day that is over is not given to anybody else because the node works on other days from now on."""
        order = small.order("calendar-late", B=2)
        await house.send(order)
        await is_of_today(house)
        await change(house.engine, LEEDS, opening_hours="Tu-Sa 08:00-18:00")
        await Retiring(house.engine, now=lambda: datetime(2026, 3, 4, tzinfo=UTC)).run()
        await house.handle(order).query("standing")
        assert await rows(house.engine, "SELECT status FROM fulfilments") == [("released",)]
        await over(house, order)


async def is_of_today(house: House) -> None:
    """The order is none that is replayed: its day is looked at by the clock on the wall."""
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE orders SET document = jsonb_set(document, '{tags}', '[]')")
