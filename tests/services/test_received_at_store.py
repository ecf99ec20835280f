"""A store says that it has what a carrier brings it: as the carrier's report, and once with it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import MoveParcel
from dom.orders.order import Order
from dom.orders.status import CarrierEventKind, SourcingCause
from dom.shared.errors import DomError, NotFound, StepNotPossible
from services import parcel_marks
from services.change_orders import OrderChanged
from services.database import Database
from services.order_process import change
from services.sourcing_again import source_waiting
from store.orders import orders
from tests.worlds import small
from tests.worlds.advancing import S, all_of, comes_to, do
from tests.worlds.books import balance, check_books, rows
from tests.worlds.captured import accept
from tests.worlds.races import TURNS, stocked
from tests.worlds.to_store import (
    DC,
    ON_THE_WAY,
    STORE,
    WRITING,
    allow,
    at_the_store,
    captured,
    carrier_says,
    code_of,
    collect,
    on_the_way,
    status,
    work,
)

STEPS = "SELECT kind, actor FROM timeline WHERE kind LIKE 'fulfilment_%' ORDER BY id DESC LIMIT 2"


@pytest.fixture(autouse=True)
async def _allowed(world: AsyncEngine) -> None:
    await allow(world)


def of(order: Order, **more: Any) -> MoveParcel:
    told = {"fulfilment_id": work(order), "actor": "york", "at": datetime.now(UTC), **more}
    return MoveParcel(status=S.DELIVERED, at_store=True, **told)


async def received(world: AsyncEngine, order: Order, **more: Any) -> OrderChanged:
    return await parcel_marks.receive_at_store(world, of(order, **more), WRITING)


async def test_they_are_ready_there_and_the_carriers_report_says_nothing_new(world: AsyncEngine) -> None:
    order = await on_the_way(world)
    done = [await received(world, order) for _ in range(2)]
    assert [each.repeated for each in done] == [False, True]
    assert done[0].state.fulfilments[work(order)].status is S.READY
    assert await carrier_says(world, order, CarrierEventKind.DELIVERED)
    assert await carrier_says(world, order, CarrierEventKind.OUT_FOR_DELIVERY, "late")
    assert (await balance(world, DC, "B"), await balance(world, STORE, "B")) == ((98, 0), (2, 2))
    told = "SELECT kind FROM outbox WHERE medium = 'mail' ORDER BY id"
    assert [kind for (kind,) in await rows(world, told)][1:] == ["shipped", "ready_for_collection"]
    assert await rows(world, "SELECT 1 FROM exceptions") == []
    await collect(world, order, code=await code_of(world, order))
    assert (await received(world, order)).repeated
    await check_books(world)


async def test_after_the_carriers_report_it_is_a_repeat(world: AsyncEngine) -> None:
    order = await at_the_store(world)
    assert (await received(world, order)).repeated
    await check_books(world, reserved=2)


async def test_it_implies_the_hand_over(world: AsyncEngine) -> None:
    order = await captured(world)
    await comes_to(world, work(order), *ON_THE_WAY[:-1])
    await received(world, order, request="r1", request_hash="h1")
    assert await rows(world, STEPS) == [("fulfilment_ready_for_collection", "york"), ("fulfilment_handed_over", "york")]
    assert (await received(world, order, request="r1", request_hash="h1")).repeated
    assert await balance(world, STORE, "B") == (2, 2)
    await check_books(world, reserved=2)


async def test_the_orders_process_may_say_it(world: AsyncEngine) -> None:
    order = await on_the_way(world)
    after = await change(Database(world), order.order_id, of(order))
    assert [each.status for each in after.view.fulfilments] == [S.READY]


@pytest.mark.parametrize("steps", range(4))
async def test_what_its_node_has_not_packed_and_booked_cannot_be_there(world: AsyncEngine, steps: int) -> None:
    order = await captured(world)
    await comes_to(world, work(order), *ON_THE_WAY[:steps])
    with pytest.raises(StepNotPossible):
        await received(world, order)
    assert await rows(world, "SELECT 1 FROM exceptions") == []


@pytest.mark.parametrize("steps", [(), ON_THE_WAY, (*ON_THE_WAY, S.LOST), (*ON_THE_WAY, S.DELIVERED)])
async def test_only_what_is_brought_to_a_store(world: AsyncEngine, steps: Sequence[Any]) -> None:
    order = small.order("home", tags=[], A=2)
    await accept(Database(world), order)
    await comes_to(world, work(order), *steps)
    with pytest.raises(StepNotPossible, match="brings"):
        await received(world, order)
    assert await rows(world, "SELECT 1 FROM exceptions WHERE kind = 'report_out_of_turn'") == []


async def test_not_a_pick_up_of_the_stores_own_stock(world: AsyncEngine) -> None:
    order = await captured(world, A=1)
    with pytest.raises(StepNotPossible, match="brings"):
        await received(world, order)
    with pytest.raises(NotFound):
        await received(world, order, fulfilment_id="web-none-F1")


async def test_a_lost_parcel_arrived_while_no_node_has_begun_on_its_replacement(world: AsyncEngine) -> None:
    order = await on_the_way(world)
    await carrier_says(world, order, CarrierEventKind.LOST)
    await sourced(world, order)
    await received(world, order)
    assert await status(world, order) == "ready_for_collection"
    assert await balance(world, STORE, "B") == (2, 2)
    await check_books(world, reserved=2)


async def test_else_a_person_hears_of_it(world: AsyncEngine) -> None:
    order = await on_the_way(world)
    await carrier_says(world, order, CarrierEventKind.LOST)
    await sourced(world, order)
    await comes_to(world, f"{order.order_id}-F2", S.ACCEPTED)
    for _ in range(2):
        with pytest.raises(StepNotPossible):
            await received(world, order)
    told = "SELECT data->>'report', data->'replaced_by'->0->>'status' FROM exceptions WHERE kind = 'report_out_of_turn'"
    assert await rows(world, told) == [("delivered", "accepted")]
    await check_books(world, reserved=2)


async def test_so_does_he_of_goods_whose_order_was_cancelled(world: AsyncEngine) -> None:
    order = await captured(world)
    async with world.begin() as connection:
        await do(connection, order.order_id, all_of())
    with pytest.raises(StepNotPossible):
        await received(world, order)
    told = "SELECT data->>'node_id', data->>'on_hand' FROM exceptions"
    assert await rows(world, told) == [(DC, "too high")]


async def test_store_and_carrier_at_once_count_once(world: AsyncEngine) -> None:
    await stocked(world)
    placed = [await on_the_way(world, f"both-{number}", B=1) for number in range(TURNS)]

    async def store(order: Order) -> bool | DomError:
        try:
            return (await received(world, order)).repeated
        except DomError as error:
            return error

    said = await asyncio.gather(
        *(each for order in placed for each in (store(order), carrier_says(world, order, CarrierEventKind.DELIVERED)))
    )
    assert all(isinstance(each, bool) for each in said), said
    assert await balance(world, STORE, "B") == (TURNS, TURNS)
    await check_books(world, reserved=TURNS)


async def sourced(world: AsyncEngine, order: Order) -> None:
    """Its units that wait are sourced again."""
    database = Database(world)
    async with database.transaction() as connection:
        as_of = database.as_of(await orders.document(connection, order.order_id), datetime.now(UTC))
        await source_waiting(database, connection, order.order_id, SourcingCause.LOST, as_of)
