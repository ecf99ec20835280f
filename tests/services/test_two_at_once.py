"""Two people, or a person and a node, at the same moment: one outcome, whoever was first.

Each race is run `RACES` times (10), each time with an order of its own: `RACES=200 pytest tests/services`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import Command, EditOrder, PlaceHold, ReleaseHold, Reship, TakeNodeStep
from dom.orders.editing.changes import SetQuantity
from dom.orders.status import Disposition, FulfilmentStatus, FulfilmentStep
from dom.returns import Inspect, Receive
from dom.shared import ids
from dom.shared.errors import DomError
from services import edits, holds, parcel_marks, returns, stock_updates
from services.change_orders import Writing
from services.database import Database
from services.returns import ReturnCall, ReturnTerms
from tests.worlds import small
from tests.worlds.advancing import S, all_of, comes_to, do, to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.races import TURNS, goods, stocked
from tests.worlds.sourcing import MONDAY_NOON

Asked = Callable[[str], Awaitable[object]]
NOTIFY = Writing(webhook=False, notify=True)
UNITS = """
SELECT l.order_id FROM order_lines l LEFT JOIN (
    SELECT fl.order_id, fl.line_id, sum(fl.quantity) AS n FROM fulfilment_lines fl
    JOIN fulfilments f ON f.id = fl.fulfilment_id
    WHERE f.status NOT IN ('rejected', 'cancelled', 'lost', 'returned_to_sender', 'recalled') GROUP BY 1, 2) w
    USING (order_id, line_id)
WHERE l.quantity <> l.cancelled + l.backordered + coalesce(w.n, 0)
"""


async def placed(world: AsyncEngine, name: str, turn: int, *statuses: FulfilmentStatus, **lines: int) -> str:
    """An order whose work came to the statuses."""
    order = small.order(f"race-{name}-{turn}", tags=[], **(lines or {"A": 2}))
    await accept(Database(world), order)
    if statuses:
        await comes_to(world, f"{order.order_id}-F1", *statuses)
    return order.order_id


async def outcome(asked: Awaitable[object], first: float) -> str:
    """What came of it: `done`, or the type of the refusal."""
    await asyncio.sleep(first)
    try:
        await asked
    except DomError as error:
        return error.type
    return "done"


async def command(world: AsyncEngine, order_id: str, asked: Command) -> None:
    async with world.begin() as connection:
        await do(connection, order_id, asked)


async def race(
    world: AsyncEngine,
    name: str,
    first: Asked,
    second: Asked,
    *statuses: FulfilmentStatus,
    before: Asked | None = None,
    **lines: int,
) -> Counter[tuple[str, str, str]]:
    """Run the race so often; answers what came of the first, the second and the order, each with how often."""
    found: Counter[tuple[str, str, str]] = Counter()
    chance = random.Random(name)
    await stocked(world)
    for turn in range(TURNS):
        order_id = await placed(world, name, turn, *statuses, **lines)
        if before is not None:
            await before(order_id)
        lead = chance.choice((0.0, 0.0, 0.002, 0.005))
        ahead = chance.choice(((0.0, lead), (lead, 0.0)))
        said = await asyncio.gather(outcome(first(order_id), ahead[0]), outcome(second(order_id), ahead[1]))
        status = await one(world, "SELECT status FROM orders WHERE id = :id", id=order_id)
        found[said[0], said[1], str(status)] += 1
    assert await rows(world, UNITS) == [], "no unit is lost or in two places"
    print(f"{name}, {TURNS} times: {dict(found)}")  # noqa: T201
    return found


def step(name: FulfilmentStep, **more: Any) -> Callable[[str], Command]:
    return lambda order_id: TakeNodeStep(
        fulfilment_id=f"{order_id}-F1", step=name, actor="node", at=MONDAY_NOON, **more
    )


async def test_cancel_against_hand_over(world: AsyncEngine) -> None:
    found = await race(
        world, "hand-over",
        lambda order_id: command(world, order_id, all_of()),
        lambda order_id: command(world, order_id, to(f"{order_id}-F1", S.HANDED_OVER)),
        S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED,
    )  # fmt: skip
    assert set(found) <= {("done", "step-not-possible", "cancelled"), ("cannot-cancel", "done", "shipped")}, found
    await check_books(world)


async def test_edit_against_pick(world: AsyncEngine) -> None:
    fewer = SetQuantity(line_id="1", quantity=1)

    async def edit(order_id: str) -> None:
        asked = EditOrder(revision=0, changes=(fewer,), actor="support", at=MONDAY_NOON)
        await edits.edit(Database(world), order_id, asked)

    found = await race(
        world, "pick", edit, lambda order_id: command(world, order_id, step(FulfilmentStep.PICK)(order_id)), S.ACCEPTED
    )
    assert {outcome for each in found for outcome in each[:2]} <= {"done", "cannot-change", "step-not-possible"}
    lines = await rows(world, "SELECT quantity - cancelled, revision FROM order_lines JOIN orders ON id = order_id")
    assert set(lines) <= {(1, 1), (2, 0)}, "all of an edit, or nothing"
    await check_books(world, reserved=sum(units for units, _ in lines))


async def test_two_edits_of_one_revision(world: AsyncEngine) -> None:
    def edit(units: int) -> Callable[[str], Awaitable[object]]:
        def made(order_id: str) -> Awaitable[object]:
            change = SetQuantity(line_id="1", quantity=units)
            asked = EditOrder(revision=0, changes=(change,), actor="support", at=MONDAY_NOON)
            return edits.edit(Database(world), order_id, asked)

        return made

    found = await race(world, "edits", edit(1), edit(3))
    assert set(found) <= {("done", "stale", "accepted"), ("stale", "done", "accepted")}, found


async def test_reject_against_cancel(world: AsyncEngine) -> None:
    found = await race(
        world, "reject",
        lambda order_id: command(world, order_id, step(FulfilmentStep.REJECT)(order_id)),
        lambda order_id: command(world, order_id, all_of()),
        S.ACCEPTED,
    )  # fmt: skip
    assert {(second, status) for _, second, status in found} == {("done", "cancelled")}, found
    assert {first for first, _, _ in found} <= {"done", "step-not-possible"}
    await check_books(world)


async def test_stock_arrival_against_cancel(world: AsyncEngine) -> None:
    async def arrives(order_id: str) -> None:
        async with world.begin() as connection:
            await stock_updates.adjust(connection, [goods("dc-leeds", "NEVER", 1, order_id)], "test")

    found = await race(world, "arrival", arrives, lambda order_id: command(world, order_id, all_of()), NEVER=1)
    assert set(found) == {("done", "done", "cancelled")}, found
    await check_books(world)
    left = await rows(world, "SELECT on_hand, reserved, reserved_soft FROM stock WHERE sku = 'NEVER'")
    assert left == [(TURNS, 0, 0)], "what came in is nobody's"


async def test_hold_against_release(world: AsyncEngine) -> None:
    """Somebody releases a hold while another puts one of its type on: it is refused, or stands alone."""
    place = PlaceHold(type="manual", actor="kim", at=MONDAY_NOON, reason="a look")

    async def hold(order_id: str) -> None:
        async with world.begin() as connection:
            await holds.place(connection, order_id, place, NOTIFY)

    async def release(order_id: str) -> None:
        asked = ReleaseHold(hold_id=f"{order_id}-H1", actor="sue", at=MONDAY_NOON)
        async with world.begin() as connection:
            await holds.release(connection, order_id, asked, NOTIFY)

    found = await race(world, "hold", release, hold, before=hold)
    assert set(found) <= {("done", "done", "accepted"), ("done", "step-not-possible", "accepted")}, found
    standing = await rows(world, "SELECT order_id FROM order_holds WHERE released_at IS NULL")
    assert len(standing) == len(set(standing)) == found["done", "done", "accepted"]


async def test_hold_against_accept(world: AsyncEngine) -> None:
    """Work that is held is not begun; work that was begun first is held from going out."""
    place = PlaceHold(type="manual", actor="kim", at=MONDAY_NOON, reason="a look")

    async def hold(order_id: str) -> None:
        async with world.begin() as connection:
            await holds.place(connection, order_id, place, NOTIFY)

    found = await race(
        world, "held", hold, lambda order_id: command(world, order_id, step(FulfilmentStep.ACCEPT)(order_id))
    )
    assert set(found) <= {("done", "done", "in_fulfilment"), ("done", "on-hold", "accepted")}, found


async def test_sent_again_against_inspected(world: AsyncEngine) -> None:
    """What came back is paid back or sent once more, and never both."""

    def back(order_id: str) -> ReturnCall:
        return ReturnCall(ids.return_id(order_id, f"{order_id}-F1"), order_id, "node")

    async def receive(order_id: str) -> None:
        await returns.commit(world, back(order_id), Receive(), ReturnTerms())

    async def inspect(order_id: str) -> None:
        found = Inspect(found=(("1", Disposition.RESTOCK, 2),))
        await returns.commit(world, back(order_id), found, ReturnTerms())

    async def reship(order_id: str) -> None:
        async with world.begin() as connection:
            asked = Reship(fulfilment_id=f"{order_id}-F1", actor="kim", at=MONDAY_NOON)
            await parcel_marks.mark(connection, asked, NOTIFY)

    found = await race(
        world, "reship", reship, inspect, S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.HANDED_OVER, S.RETURNED,
        before=receive,
    )  # fmt: skip
    assert set(found) <= {("done", "done", "backordered"), ("step-not-possible", "done", "cancelled")}, found
    sent = {order_id for (order_id,) in await rows(world, "SELECT order_id FROM timeline WHERE kind = 'reshipped'")}
    paid = {order_id for (order_id,) in await rows(world, "SELECT order_id FROM refunds")}
    assert not sent & paid
    assert len(sent | paid) == TURNS
    await check_books(world)
