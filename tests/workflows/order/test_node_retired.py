"""A node that cannot do its work any more does not keep it in silence."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Handling, ShippingMethod
from jobs.retiring_nodes import Retiring
from store.network import reference
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.living import lose_and_revive
from tests.worlds.policies import changed
from tests.worlds.retiring import EXCEPTIONS, LEEDS, YORK, change, over
from tests.worlds.running import House
from tests.worlds.selling import hold
from tests.worlds.sourcing import sku
from tests.worlds.steps import deliver, ended, stock_comes, until_event, until_released


@pytest.fixture
def job(world: AsyncEngine) -> Retiring:
    return Retiring(world)


async def hazmat(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await reference.put_skus(connection, [sku("RARE", hazmat=True)])


SWITCHES: dict[str, tuple[dict[str, Any], str]] = {
    "off": ({"active": False}, "the node is switched off"),
    "no service": ({"services": (ShippingMethod.EXPRESS,)}, "the node does not send by standard any more"),
    "no country": ({"ships_to": ("FR",)}, "the node does not send to GB any more"),
    "not equipped": ({"handles": (Handling.COLD,)}, "the node is not equipped for hazmat goods any more"),
}


@pytest.mark.parametrize("name", SWITCHES)
class TestUnbegunWork:
    async def test_is_sourced_anew(self, house: House, job: Retiring, name: str) -> None:
        fields, why = SWITCHES[name]
        await hazmat(house.engine)
        order = small.order(f"retired-{list(SWITCHES).index(name)}", RARE=2)
        await house.send(order)
        await job.run()
        assert await one(house.engine, "SELECT count(*) FROM fulfilments WHERE status = 'released'") == 1
        await change(house.engine, LEEDS, **fields)
        await job.run()
        assert await until_released(house, order, 2) == "wh-london"
        first = "SELECT status, reason FROM fulfilments WHERE id = :id"
        assert await rows(house.engine, first, id=f"{order.order_id}-F1") == [("rejected", why)]
        assert (
            await one(house.engine, "SELECT actor FROM timeline WHERE kind = 'fulfilment_rejected'") == "system:network"
        )
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == []
        await deliver(house, order, 2)
        await ended(house, order)

    async def test_begun_work_stands_before_a_person_until_it_is_done(
        self, house: House, job: Retiring, name: str
    ) -> None:
        fields, why = SWITCHES[name]
        await hazmat(house.engine)
        order = small.order(f"begun-{list(SWITCHES).index(name)}", RARE=2)
        await house.send(order)
        await house.node(order, "accept")
        await until_event(house, order, "fulfilment_accepted")
        await change(house.engine, LEEDS, **fields)
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == [("work_at_a_node", "open")]
        detail = str(await one(house.engine, "SELECT detail FROM exceptions"))
        for part in ("dc-leeds", why, "2 of RARE"):
            assert part in detail
        await house.node(order, "reject")
        assert await until_released(house, order, 2) == "wh-london"
        job._everything_at = 0
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == [("work_at_a_node", "closed")]
        await over(house, order)


class TestAPickUp:
    async def test_at_a_node_that_hands_nothing_out_any_more(self, house: House, job: Retiring) -> None:
        order = small.order("retired-pickup", A=2, shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        await change(house.engine, YORK, pickup=False)
        await job.run()
        await until_event(house, order, "sourced")
        assert await rows(house.engine, EXCEPTIONS) == [("cannot_be_sourced", "open")]
        await over(house, order)


class TestSwitchedOnAgain:
    async def test_the_node_is_asked_like_any_other(self, house: House, job: Retiring) -> None:
        order = small.order("on-again", B=2)
        await house.send(order)
        await change(house.engine, LEEDS, active=False)
        await job.run()
        await until_event(house, order, "sourced")
        assert await rows(house.engine, "SELECT backordered FROM order_lines") == [(2,)]
        await change(house.engine, LEEDS)
        assert await until_released(house, order, 2) == "dc-leeds"
        assert not [row for row in await rows(house.engine, EXCEPTIONS) if row[1] == "open"]
        await over(house, order)

    async def test_also_where_nodes_that_failed_are_never_asked_again(self, house: House, job: Retiring) -> None:
        async with house.engine.begin() as connection:
            await policies.publish_policy(connection, changed(small.POLICY, failed_nodes="never"), "test")
        order = small.order("on-again-never", B=2)
        await house.send(order)
        await change(house.engine, LEEDS, active=False)
        await job.run()
        await until_event(house, order, "sourced")
        await change(house.engine, LEEDS)
        await stock_comes(house, order, "B")
        assert await until_released(house, order, 2) == "dc-leeds"
        excluded = "SELECT document->'demand'->'excluded_nodes' FROM sourcing_decisions ORDER BY attempt"
        assert [each for (each,) in await rows(house.engine, excluded)] == [[], [], []]
        await over(house, order)

    async def test_also_by_a_process_that_began_anew(self, house: House, job: Retiring) -> None:
        async with house.engine.begin() as connection:
            await policies.publish_policy(connection, changed(small.POLICY, failed_nodes="never"), "test")
        order = small.order("on-again-revived", B=2)
        await house.send(order)
        await change(house.engine, LEEDS, active=False)
        await job.run()
        await until_event(house, order, "sourced")
        await lose_and_revive(house, order)
        await change(house.engine, LEEDS)
        await stock_comes(house, order, "B")
        assert await until_released(house, order, 2) == "dc-leeds"
        await over(house, order)

    async def test_begun_work_is_no_trouble_any_more(self, house: House, job: Retiring) -> None:
        order = small.order("on-again-begun", B=2)
        await house.send(order)
        await house.node(order, "accept")
        await until_event(house, order, "fulfilment_accepted")
        await change(house.engine, LEEDS, active=False)
        await job.run()
        await change(house.engine, LEEDS)
        await job.run()
        assert await rows(house.engine, EXCEPTIONS) == [("work_at_a_node", "closed")]
        await over(house, order)


async def test_a_cart_at_a_node_switched_off_becomes_an_order_of_the_others(house: House, job: Retiring) -> None:
    await hold(house.engine, "cart-off", "dc-leeds", "A", 3)
    await change(house.engine, LEEDS, active=False)
    order = small.order("from-cart", A=3, reservation_id="cart-off")
    answer = await house.send(order)
    assert answer.waiting == {}
    assert await until_released(house, order, 1) != "dc-leeds"
    assert await one(house.engine, "SELECT reserved_soft FROM stock WHERE node_id = 'dc-leeds' AND sku = 'A'") == 0
    await over(house, order)


class TestBegunWhileTheNodeIsSwitchedOff:
    async def test_what_is_said_in_a_nodes_name_is_never_out_of_turn(self, house: House) -> None:
        order = small.order("off-and-picked", RARE=2)
        await house.send(order)
        await house.node(order, "pick")
        await house.node(order, "reject", actor="system:network", reason="the node is switched off", if_unbegun=True)
        await until_event(house, order, "fulfilment_picked")
        await house.handle(order).query("standing")
        assert await rows(house.engine, EXCEPTIONS) == []
        await over(house, order)
