"""Shoppers hold what they are about to buy, and order it with their reservation."""

import httpx

from simulator import checkouts
from simulator.api import Api
from simulator.board import Board
from simulator.checkouts import Checkouts
from tests.unit.simulator import fakes

ORDERS = [fakes.order(number) for number in range(400)]


async def place_all(fake: fakes.FakeApi) -> tuple[list[fakes.Json], Board]:
    board = Board(None)
    transport = httpx.ASGITransport(fake)
    async with httpx.AsyncClient(transport=transport, base_url="http://dom") as client:
        desk = Checkouts(Api(client, 1), board)
        return [await desk.pass_through(dict(order)) for order in ORDERS], board


async def test_some_orders_carry_the_reservation_their_units_are_held_by() -> None:
    fake = fakes.FakeApi()
    placed, board = await place_all(fake)
    held = [order for order in placed if "reservation_id" in order]
    assert 0.5 * checkouts.SHARE < len(held) / len(ORDERS) < 1.5 * checkouts.SHARE
    assert len(held) == board.tally.checkouts
    assert 0 < board.tally.abandoned < len(held)
    assert len(fake.held) == len(held) + board.tally.abandoned
    order = held[0]
    basket = fake.held[f"{order['channel']}-{order['external_id']}"]
    assert basket["lines"] == [{"sku": "A", "quantity": 2}]
    assert basket["ship_to"] == {"country": "GB", "postal_code": "LS1 4AP"}


async def test_a_second_run_asks_for_the_same_reservations() -> None:
    first, _ = await place_all(fakes.FakeApi())
    again, _ = await place_all(fakes.FakeApi())
    assert again == first


async def test_who_finds_nothing_to_hold_orders_all_the_same() -> None:
    fake = fakes.FakeApi()
    fake.holds = False
    placed, board = await place_all(fake)
    assert placed == ORDERS
    assert board.tally.checkouts == 0
    assert not board.tally.refusals
