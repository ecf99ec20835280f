"""The work list: what is urgent first, what is done last, and every page goes on where the one before ended."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import FulfilmentStatus
from store.fulfilment.work_list import Position, WorkFilter, _page, work_list
from tests.worlds import small
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place


async def fill(engine: AsyncEngine, *work: tuple[FulfilmentStatus, int]) -> None:
    """Orders of one fulfilment each, of this status, to be shipped so many hours from Monday noon."""
    for number, (status, hours) in enumerate(work):
        await place(engine, small.order(f"n{number}", A=number + 1))
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE fulfilments SET status = :status, ship_by = :ship_by WHERE id = :id"),
                {"id": f"web-n{number}-F1", "status": status, "ship_by": MONDAY_NOON + timedelta(hours=hours)},
            )


async def pages(engine: AsyncEngine, wanted: WorkFilter, limit: int) -> list[str]:
    """The orders of all pages, in sequence."""
    seen: list[str] = []
    after = None
    async with engine.connect() as connection:
        while rows := await work_list(connection, wanted, after=after, limit=limit):
            seen += [row["order_id"] for row in rows]
            after = Position(rows[-1]["closed"], rows[-1]["ship_by"], rows[-1]["id"])
    return seen


MIXED = (
    (FulfilmentStatus.DELIVERED, 1),
    (FulfilmentStatus.RELEASED, 9),
    (FulfilmentStatus.BOOKED, 3),
    (FulfilmentStatus.CANCELLED, 0),
    (FulfilmentStatus.PICKED, 3),
)
IN_SEQUENCE = ["web-n2", "web-n4", "web-n1", "web-n3", "web-n0"]


async def test_open_work_stands_first_by_the_time_it_is_to_be_shipped(world: AsyncEngine) -> None:
    await fill(world, *MIXED)
    for limit in (1, 2, 3, 4, 9):
        assert await pages(world, WorkFilter(), limit) == IN_SEQUENCE, limit
        assert await pages(world, WorkFilter(node_id="dc-leeds"), limit) == IN_SEQUENCE, limit
    assert await pages(world, WorkFilter(node_id="wh-london"), 9) == []


async def test_of_some_statuses_only(world: AsyncEngine) -> None:
    await fill(world, *MIXED)

    async def of(*statuses: FulfilmentStatus) -> Sequence[str]:
        return await pages(world, WorkFilter(statuses=statuses), 1)

    assert await of(FulfilmentStatus.PICKED, FulfilmentStatus.RELEASED) == ["web-n4", "web-n1"]
    assert await of(FulfilmentStatus.DELIVERED, FulfilmentStatus.PICKED) == ["web-n4", "web-n0"]
    assert await of(FulfilmentStatus.CANCELLED) == ["web-n3"]
    assert await of(FulfilmentStatus.PACKED) == []


async def test_work_that_is_done_between_two_pages_is_not_lost(world: AsyncEngine) -> None:
    await fill(world, *MIXED)
    async with world.connect() as connection:
        first = await work_list(connection, limit=2)
    async with world.begin() as connection:
        await connection.execute(text("UPDATE fulfilments SET status = 'handed_over' WHERE order_id = 'web-n1'"))
    after = Position(first[-1]["closed"], first[-1]["ship_by"], first[-1]["id"])
    async with world.connect() as connection:
        rest = await work_list(connection, after=after, limit=9)
    assert [row["order_id"] for row in rest] == ["web-n3", "web-n0", "web-n1"]


async def test_it_says_what_is_to_be_done(world: AsyncEngine) -> None:
    await fill(world, *MIXED)
    async with world.connect() as connection:
        (mine,) = await work_list(connection, WorkFilter(order_id="web-n4"))
    assert mine["lines"] == [{"line_id": "1", "sku": "A", "quantity": 5}]


async def test_each_part_is_read_through_its_index(world: AsyncEngine) -> None:
    """However many were delivered: the first page costs what it shows."""
    await fill(world, *MIXED)
    async with world.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        for conditions, index in ((("released",), "fulfilments_open_ix"), (("node_id",), "fulfilments_node_open_ix")):
            statement = _page(conditions, ("open",), None).text
            plan = await connection.execute(text(f"EXPLAIN {statement}"), {"limit": 2, "node_id": "dc-leeds"})
            assert index in " ".join(line for (line,) in plan)
