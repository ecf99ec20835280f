"""A bulk run changes each of its orders once, and says of each what became of it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.bulk import (
    BulkAction,
    BulkOutcome,
    BulkSelection,
    BulkStatus,
    CancelOrders,
    HoldOrders,
    ReleaseOrders,
    SourceOrdersAgain,
)
from dom.orders.order import Order
from dom.orders.search_filter import OrderFilter
from dom.orders.status import FulfilmentStatus, SourcingCause
from dom.shared import ids
from dom.shared.access import Principal, Role, principal
from dom.shared.errors import Conflict, Forbidden, InvalidInput, NotFound, Stale
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services import bulk_actions, bulk_changes, bulk_runs, saved_views
from services.bulk_runs import BulkCall
from services.clock import utc_now
from services.database import Database
from services.sourcing_again import source_again
from store.orders import bulk_runs as rows_of
from store.orders.bulk_runs import BulkRun
from store.orders.saved_views import ViewContent
from tests.worlds import small
from tests.worlds.access import caller
from tests.worlds.advancing import comes_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept

RECALL = "a recall"
S = FulfilmentStatus
AWAY = (S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.HANDED_OVER)
ITEMS = "SELECT order_id, outcome, problem FROM bulk_items ORDER BY position"


async def captured(world: AsyncEngine, *numbers: str, **units: int) -> list[Order]:
    """Orders of today with the units of each SKU."""
    orders: list[Order] = [small.order(f"bulk-{number}", tags=[], **(units or {"A": 2})) for number in numbers]
    for order in orders:
        await accept(Database(world), order)
    return orders


def of(orders: list[Order], action: BulkAction, **more: Any) -> BulkCall:
    """The action on these orders, by id."""
    return BulkCall(action, BulkSelection(orders=tuple(each.order_id for each in orders)), RECALL, **more)


async def asked(world: AsyncEngine, request: BulkCall, who: Principal | None = None) -> BulkRun:
    async with world.begin() as connection:
        run, _ = await bulk_runs.ask(connection, who or caller(), request, utc_now())
    return run


async def carried_out(world: AsyncEngine, request: BulkCall, who: Principal | None = None) -> BulkRun:
    """The run after its end."""
    run = await asked(world, request, who)
    while not run.ended:
        await bulk_changes.change_next(Database(world), run.id, asyncio.Event())
        run = await found(world, run.id)
    return run


async def found(world: AsyncEngine, bulk_id: str) -> BulkRun:
    async with world.connect() as connection:
        return await rows_of.get(connection, bulk_id, caller().limits)


async def outcomes(world: AsyncEngine) -> list[tuple[Any, ...]]:
    return await rows(world, ITEMS)


class TestCancel:
    async def test_each_order_once(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2", "3")
        run = await carried_out(world, of(orders, CancelOrders()))
        assert (run.status, run.outcomes, run.orders) == (BulkStatus.DONE, {BulkOutcome.DONE: 3}, 3)
        assert await outcomes(world) == [(each.order_id, "done", None) for each in orders]
        events = "SELECT actor, reason, data->>'request' FROM timeline WHERE kind = 'cancelled'"
        assert await rows(world, events) == [("tests", RECALL, f"bulk/{run.id}")] * 3
        await check_books(world)

    async def test_of_a_recalled_sku_the_rest_stays(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", A=2, B=1)
        await carried_out(world, of(orders, CancelOrders(sku="A")))
        assert await rows(world, "SELECT sku, cancelled FROM order_lines ORDER BY sku") == [("A", 2), ("B", 0)]
        await check_books(world, reserved=1)

    async def test_what_left_its_node_is_refused_and_said(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2")
        await comes_to(world, ids.fulfilment_id(orders[0].order_id, 1), *AWAY)
        run = await carried_out(world, of(orders, CancelOrders()))
        assert run.outcomes == {BulkOutcome.REFUSED: 1, BulkOutcome.DONE: 1}
        assert await outcomes(world) == [
            (orders[0].order_id, "refused", "cannot-cancel"),
            (orders[1].order_id, "done", None),
        ]

    async def test_what_is_cancelled_already_is_unchanged(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        await carried_out(world, of(orders, CancelOrders()))
        again = await carried_out(world, of(orders, CancelOrders()))
        assert again.outcomes == {BulkOutcome.UNCHANGED: 1}
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 1

    async def test_work_at_anothers_node_is_refused(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", A=2, FAR=1)
        first, second = await rows(world, "SELECT node_id FROM fulfilments ORDER BY id")
        assert first != second
        run = await carried_out(world, of(orders, CancelOrders()), caller(Role.SUPPORT, nodes=list(first)))
        assert run.outcomes == {BulkOutcome.REFUSED: 1}
        assert await one(world, "SELECT problem FROM bulk_items") == "forbidden"
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 0


class TestHolds:
    async def test_put_on_and_released(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2")
        held = await carried_out(world, of(orders, HoldOrders(type="manual")))
        assert held.outcomes == {BulkOutcome.DONE: 2}
        again = await carried_out(world, of(orders, HoldOrders(type="manual")))
        assert again.outcomes == {BulkOutcome.UNCHANGED: 2}
        released = await carried_out(world, of(orders, ReleaseOrders(type="manual")))
        assert released.outcomes == {BulkOutcome.DONE: 2}
        assert await one(world, "SELECT count(*) FROM order_holds WHERE released_at IS NULL") == 0

    async def test_whoever_may_not_release_a_type_may_not_release_many(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        await carried_out(world, of(orders, HoldOrders(type="fraud")))
        run = await carried_out(world, of(orders, ReleaseOrders(type="fraud")), caller(Role.SUPPORT))
        assert run.outcomes == {BulkOutcome.REFUSED: 1}
        assert await one(world, "SELECT count(*) FROM order_holds WHERE released_at IS NULL") == 1

    async def test_a_type_there_is_not_is_refused_at_once(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        with pytest.raises(InvalidInput) as refused:
            await asked(world, of(orders, HoldOrders(type="nothing")))
        assert refused.value.field == "action.type"


class TestSourcedAgain:
    async def test_without_the_node_in_one_transaction(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2")
        first = str(await one(world, "SELECT DISTINCT node_id FROM fulfilments"))
        run = await carried_out(world, of(orders, SourceOrdersAgain(node_id=first)))
        assert run.outcomes == {BulkOutcome.DONE: 2}
        now = await rows(world, "SELECT DISTINCT node_id FROM fulfilments WHERE status = 'released'")
        assert len(now) == 1
        assert now != [(first,)]
        await check_books(world, reserved=4)

    async def test_at_another_node_nothing_is_to_be_done(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        run = await carried_out(world, of(orders, SourceOrdersAgain(node_id="dropship-lille")))
        assert run.outcomes == {BulkOutcome.UNCHANGED: 1}

    async def test_begun_work_stays(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        await comes_to(world, ids.fulfilment_id(orders[0].order_id, 1), S.ACCEPTED)
        run = await carried_out(world, of(orders, SourceOrdersAgain()))
        assert run.outcomes == {BulkOutcome.UNCHANGED: 1}
        assert "has begun" in str(await one(world, "SELECT detail FROM bulk_items"))

    async def test_what_no_other_node_has_waits(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", B=3)
        run = await carried_out(world, of(orders, SourceOrdersAgain()))
        assert run.outcomes == {BulkOutcome.DONE: 1}
        assert await one(world, "SELECT data->'waiting'->>'1' FROM bulk_items") == "3"
        await check_books(world)

    @pytest.mark.parametrize("said", FailedNodes)
    async def test_nor_is_it_given_back_when_the_orders_process_hears_of_it(
        self, world: AsyncEngine, said: FailedNodes
    ) -> None:
        """Staff left the node out, as with work of one order: no node said that it has not the goods."""
        [order] = await captured(world, "1", B=3)
        await carried_out(world, of([order], SourceOrdersAgain()))
        asks = {"order_id": order.order_id, "attempt": 3, "as_of": utc_now(), "failed_nodes": said}
        answer = await source_again(Database(world), SourceAgain(**asks, cause=SourcingCause.EDITED))
        assert answer.view.waiting == {"1": 3}
        told = "SELECT kind, actor, reason FROM timeline WHERE kind IN ('sourced_again', 'fulfilment_rejected')"
        assert await rows(world, told) == [("sourced_again", "tests", RECALL)]

    async def test_work_of_several_nodes_goes_to_none_of_them(self, world: AsyncEngine) -> None:
        """It is sourced once, and the process that hears of it leaves out each of the nodes."""
        [order] = await captured(world, "1", A=102)
        first = {row[0] for row in await rows(world, "SELECT node_id FROM fulfilments")}
        assert len(first) > 1
        await carried_out(world, of([order], SourceOrdersAgain()))
        asks = {"order_id": order.order_id, "attempt": 3, "as_of": utc_now(), "failed_nodes": FailedNodes.AT_ONCE}
        await source_again(Database(world), SourceAgain(**asks, cause=SourcingCause.EDITED))
        now = {row[0] for row in await rows(world, "SELECT node_id FROM fulfilments WHERE status = 'released'")}
        assert not first & now
        assert await rows(world, "SELECT attempt FROM sourcing_decisions ORDER BY 1") == [(1,), (2,), (3,)]


class TestSelection:
    async def test_by_filter_and_view(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2", B=1)
        await captured(world, "3")
        async with world.begin() as connection:
            content = ViewContent("recalled", OrderFilter(sku="B"), shared=False)
            view, _ = await saved_views.create(connection, caller(), content)
        for selection in (BulkSelection(filter=OrderFilter(sku="B")), BulkSelection(view=view["id"])):
            run = await carried_out(world, BulkCall(CancelOrders(), selection, RECALL, expected=2))
            assert run.orders == 2
        assert {row[0] for row in await outcomes(world)} == {each.order_id for each in orders}

    @pytest.mark.parametrize("selection", [{}, {"filter": {}}, {"filter": {"sort": "placed"}}])
    async def test_all_orders_are_no_selection(self, world: AsyncEngine, selection: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput) as refused:
            await asked(world, BulkCall(CancelOrders(), BulkSelection.model_validate(selection), RECALL))
        assert refused.value.field == "selection"

    async def test_orders_and_a_filter_do_not_go_together(self, world: AsyncEngine) -> None:
        selection = BulkSelection(orders=("web-1",), filter=OrderFilter(sku="A"))
        with pytest.raises(InvalidInput):
            await asked(world, BulkCall(CancelOrders(), selection, RECALL))

    async def test_an_order_that_is_not_there_is_named(self, world: AsyncEngine) -> None:
        [order] = await captured(world, "1")
        selection = BulkSelection(orders=(order.order_id, "web-nowhere", order.order_id))
        run = await carried_out(world, BulkCall(CancelOrders(), selection, RECALL, expected=1))
        assert run.outcomes == {BulkOutcome.DONE: 1, BulkOutcome.REFUSED: 1}
        assert await outcomes(world) == [(order.order_id, "done", None), ("web-nowhere", "refused", "not-found")]

    async def test_anothers_order_is_as_if_it_were_not_there(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        who = caller(Role.SUPPORT, channels=["edi"])
        assert (await carried_out(world, of(orders, CancelOrders()), who)).outcomes == {BulkOutcome.REFUSED: 1}
        selection = BulkSelection(filter=OrderFilter(sku="A"))
        with pytest.raises(InvalidInput):
            await asked(world, BulkCall(CancelOrders(), selection, RECALL), who)

    async def test_another_number_than_was_seen_is_refused(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1", "2")
        with pytest.raises(Stale) as refused:
            await asked(world, of(orders, CancelOrders(), expected=1))
        assert refused.value.data == {"orders": 2}
        assert await one(world, "SELECT count(*) FROM bulk_runs") == 0


class TestAsked:
    async def test_once_under_a_key(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        request = of(orders, CancelOrders(), request="k", request_hash="h")
        first, second = await asyncio.gather(asked(world, request), asked(world, request))
        assert first.id == second.id
        with pytest.raises(Conflict):
            await asked(world, of(orders, CancelOrders(), request="k", request_hash="other"))

    async def test_who_may_not_do_it_to_one_order_may_not_do_it_to_many(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        planner = principal("pat", [Role.PLANNER])
        with pytest.raises(Forbidden):
            await asked(world, of(orders, CancelOrders()), planner)

    async def test_wider_runs_are_not_seen(self, world: AsyncEngine) -> None:
        orders = await captured(world, "1")
        run = await asked(world, of(orders, CancelOrders()))
        for limited in (caller(Role.SUPPORT, channels=["web"]), caller(Role.SUPPORT, nodes=["dc-leeds"])):
            async with world.begin() as connection:
                with pytest.raises(NotFound):
                    await bulk_runs.stop(connection, limited, run.id)
            assert await rows_of.find(world, [], None, 10, limited.limits) == []


class TestStopped:
    async def test_goes_on_where_it_stood(self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk_changes, "AT_A_TIME", 2)
        orders = await captured(world, "1", "2", "3", "4", "5")
        run = await asked(world, of(orders, CancelOrders()))
        await bulk_changes.change_next(Database(world), run.id, asyncio.Event())
        async with world.begin() as connection:
            stopped = await bulk_runs.stop(connection, caller(), run.id)
        assert (stopped.status, stopped.done, stopped.stopped_by) == (BulkStatus.STOPPED, 2, "tests")
        await bulk_changes.change_next(Database(world), run.id, asyncio.Event())
        assert (await found(world, run.id)).done == 2
        async with world.begin() as connection:
            assert (await bulk_runs.resume(connection, caller(), run.id)).status is BulkStatus.QUEUED
        while not (await found(world, run.id)).ended:
            await bulk_changes.change_next(Database(world), run.id, asyncio.Event())
        assert (await found(world, run.id)).outcomes == {BulkOutcome.DONE: 5}
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 5
        async with world.begin() as connection:
            for again in (bulk_runs.stop, bulk_runs.resume):
                with pytest.raises(Conflict):
                    await again(connection, caller(), run.id)

    async def test_an_order_that_was_claimed_when_it_is_stopped_is_ended(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        orders = await captured(world, "1")
        run = await asked(world, of(orders, CancelOrders()))
        act = bulk_actions.carry_out

        async def stopped_meanwhile(*arguments: Any) -> Any:
            async with world.begin() as connection:
                await bulk_runs.stop(connection, caller(), run.id)
            return await act(*arguments)

        monkeypatch.setattr(bulk_actions, "carry_out", stopped_meanwhile)
        await bulk_changes.change_next(Database(world), run.id, asyncio.Event())
        assert (await found(world, run.id)).outcomes == {BulkOutcome.DONE: 1}


class TestWhatGoesWrong:
    async def test_two_that_carry_it_out_at_once_change_each_order_once(self, world: AsyncEngine) -> None:
        orders = await captured(world, *map(str, range(12)))
        run = await asked(world, of(orders, CancelOrders()))
        await asyncio.gather(*(bulk_changes.change_next(Database(world), run.id, asyncio.Event()) for _ in range(3)))
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 12
        assert (await found(world, run.id)).outcomes == {BulkOutcome.DONE: 12}
        await check_books(world)

    async def test_a_fault_is_written_down_and_holds_up_no_other(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        orders = await captured(world, "1", "2")
        act = bulk_actions.carry_out

        async def breaks(database: Database, connection: Any, run: BulkRun, order_id: str) -> Any:
            done = await act(database, connection, run, order_id)
            if order_id == orders[0].order_id:
                raise ZeroDivisionError
            return done

        monkeypatch.setattr(bulk_actions, "carry_out", breaks)
        run = await carried_out(world, of(orders, CancelOrders()))
        assert run.outcomes == {BulkOutcome.DONE: 1, BulkOutcome.FAILED: 1}
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 1, "it was taken back"
        await check_books(world, reserved=2)
