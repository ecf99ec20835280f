"""Every activity may be tried again after it succeeded: the second time changes nothing and answers the same."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.capture import AcceptOrder, Capture
from activities.changing import ChangeOrder, Changing, HeedReport, ReadOrder
from activities.returning import CommitReturn, OpenReturn, Returning, ReturnView
from activities.shipping import Shipping
from activities.sourcing import SourcingActivities
from connectors.carriers.registry import CarrierRegistry
from dom.fulfilment.carrier_reports import ParcelReport
from dom.fulfilment.packing import Packing
from dom.orders.commands import CountAsDelivered, TakeNodeStep
from dom.orders.order import Order
from dom.orders.status import (
    CarrierEventKind,
    Disposition,
    FulfilmentStatus,
    FulfilmentStep,
    ReturnStatus,
    SourcingCause,
)
from dom.returns import CancelReturn, CloseReturn, ExpireReturn, Inspect, Receive
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import Accepted, SourceAgain, SourcedAgain
from services.database import Database
from store.database.reference_version import bump
from tests.worlds import small
from tests.worlds.advancing import all_of, comes_to, to
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.outside import RecordingCarrier
from tests.worlds.sourcing import MONDAY_NOON

S = FulfilmentStatus
HOOK = "https://shop.example/hook"
TABLES = (
    "orders",
    "order_lines",
    "fulfilments",
    "fulfilment_lines",
    "reservations",
    "soft_reservations",
    "stock",
    "stock_ledger",
    "node_days",
    "timeline",
    "sourcing_decisions",
    "outbox",
    "exceptions",
    "shipments",
    "labels",
    "returns",
    "return_lines",
    "return_dispositions",
    "refunds",
    "inbound",
    "inbound_lines",
)


async def everything(engine: AsyncEngine) -> dict[str, list[tuple[object, ...]]]:
    """All that the store knows of orders; when a row was last touched does not count."""
    query = "SELECT (to_jsonb(t) - 'updated_at')::text FROM {} AS t ORDER BY 1"
    return {name: await rows(engine, query.format(name)) for name in TABLES}


async def twice(engine: AsyncEngine, activity: Callable[[Any], Awaitable[Any]], request: Any) -> Any:
    """Do it, and again three times side by side; nothing may change after the first time, but that it is known."""
    first = await activity(request)
    before = await everything(engine)
    again = await asyncio.gather(*(activity(request) for _ in range(3)))
    assert [as_new(each) for each in again] == [as_new(first)] * 3
    assert await everything(engine) == before
    return first


def as_new(answer: Any) -> Any:
    """The answer without what only a repeat says."""
    if isinstance(answer, SourcedAgain) and answer.sourced is not None:
        return answer.sourced.model_copy(update={"known": False})
    if isinstance(answer, ReturnView):
        return answer.model_copy(update={"earlier": False, "expires_in": None})
    return answer


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, webhooks=True)


def step(order: Order, status: FulfilmentStatus, **changes: Any) -> ChangeOrder:
    """The step to a status, as the process asks for it."""
    command = to(f"{order.order_id}-F1", status).model_copy(update={"request": "r", **changes})
    return ChangeOrder(order_id=order.order_id, command=command)


async def deliver(database: Database, order: Order) -> None:
    await accept(database, order)
    await comes_to(database.engine, f"{order.order_id}-F1", S.PACKED, S.BOOKED, S.HANDED_OVER, S.DELIVERED)


class TestCapture:
    async def test_accepts_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("once", A=2, RARE=7)
        sourced = await accept(database, order)
        assert sourced.waiting == {"2": 2}
        assert await twice(world, Capture(database).accept_order, AcceptOrder(order=order)) == Accepted()
        await check_books(world, reserved=7)

    async def test_two_at_once_agree(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("together", A=2)
        capture = Capture(database)
        answers = await asyncio.gather(*(capture.accept_order(AcceptOrder(order=order)) for _ in range(8)))
        assert sum(answer.sourced is not None for answer in answers) == 1
        assert await one(world, "SELECT count(*) FROM reservations") == 1
        await check_books(world, reserved=2)

    async def test_other_content_is_refused_for_good(self, database: Database) -> None:
        await accept(database, small.order("content", A=2))
        with pytest.raises(ApplicationError) as refused:
            await Capture(database).accept_order(AcceptOrder(order=small.order("content", A=3)))
        assert (refused.value.type, refused.value.non_retryable) == ("order-conflict", True)

    async def test_many_orders_for_the_last_units_plan_again_and_never_oversell(
        self, world: AsyncEngine, database: Database
    ) -> None:
        wanted = [small.order(f"crowd-{number}", RARE=1) for number in range(16)]
        answers = await asyncio.gather(*(accept(database, order) for order in wanted))
        assert sum(bool(answer.fulfilments) for answer in answers) == 5
        assert sum(bool(answer.waiting) for answer in answers) == 11
        await check_books(world, reserved=5)

    async def test_a_node_takes_no_more_orders_than_its_day_holds(self, world: AsyncEngine, database: Database) -> None:
        async with world.begin() as connection:
            await connection.exec_driver_sql(
                "UPDATE nodes SET daily_capacity = 3, document = document || '{\"daily_capacity\": 3}'"
            )
            await connection.exec_driver_sql("UPDATE reference_state SET version = version + 1")
        await asyncio.gather(*(accept(database, small.order(f"day-{number}", B=1)) for number in range(10)))
        assert await one(world, "SELECT max(used) FROM node_days") == 3
        assert await one(world, "SELECT sum(used) FROM node_days") == await one(
            world, "SELECT count(*) FROM fulfilments"
        )
        await check_books(world, reserved=int(str(await one(world, "SELECT sum(quantity) FROM reservations"))))


class TestSourcing:
    async def test_sources_an_attempt_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("again", RARE=2)
        await accept(database, order)
        rejected = step(order, FulfilmentStatus.REJECTED, reason="no time")
        await twice(world, Changing(database).change_order, rejected)
        await check_books(world)
        request = SourceAgain(
            order_id=order.order_id,
            attempt=2,
            cause=SourcingCause.STOCK_ARRIVED,
            as_of=MONDAY_NOON,
            failed_nodes=FailedNodes.AFTER_OTHER_NEWS,
        )
        answer = await twice(world, SourcingActivities(database).source_again, request)
        assert answer.sourced.fulfilments == {"web-again-F2": "wh-london"}
        assert answer.cause is SourcingCause.REJECTED, "the store knows why, whatever the process has heard"
        nothing = await twice(
            world, SourcingActivities(database).source_again, request.model_copy(update={"attempt": 3})
        )
        assert nothing.sourced is None
        await check_books(world, reserved=2)


class TestFulfilling:
    @pytest.mark.parametrize(
        "statuses",
        [
            (S.ACCEPTED,),
            (S.PICKED,),
            (S.PACKED, S.BOOKED, S.HANDED_OVER),
            (S.PACKED, S.BOOKED, S.HANDED_OVER, S.DELIVERED),
            (S.REJECTED,),
        ],
        ids=lambda statuses: statuses[-1],
    )
    async def test_writes_a_step_once(
        self, world: AsyncEngine, database: Database, statuses: tuple[FulfilmentStatus, ...]
    ) -> None:
        *before, last = statuses
        order = small.order(f"step-{last}", A=2, B=1)
        await accept(database, order)
        await comes_to(world, f"{order.order_id}-F1", *before)
        await twice(world, Changing(database).change_order, step(order, last))
        await check_books(world, reserved=0 if last in {S.HANDED_OVER, S.DELIVERED, S.REJECTED} else 3)

    async def test_corrects_a_short_pick_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("short", A=5)
        await accept(database, order)
        await twice(
            world,
            Changing(database).change_order,
            step(order, FulfilmentStatus.PICKED, found={"1": 3}),
        )
        assert await balance(world, "dc-leeds", "A") == (98, 3)
        assert await rows(world, "SELECT backordered FROM order_lines") == [(2,)]
        await check_books(world, reserved=3)

    @pytest.mark.parametrize("status", [FulfilmentStatus.LOST, FulfilmentStatus.RETURNED])
    async def test_calls_a_person_once(self, world: AsyncEngine, database: Database, status: FulfilmentStatus) -> None:
        order = small.order(f"trouble-{status}", A=2)
        await accept(database, order)
        await comes_to(world, f"{order.order_id}-F1", S.PACKED, S.BOOKED, S.HANDED_OVER)
        await twice(world, Changing(database).change_order, step(order, status))
        assert await one(world, "SELECT count(*) FROM exceptions") == 1

    async def test_notes_a_stray_report_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("stray", A=2)
        await accept(database, order)
        stray = ParcelReport(
            fulfilment_id="web-stray-F1", kind=CarrierEventKind.DELIVERED, actor="northline", at=MONDAY_NOON
        )
        await twice(world, Changing(database).heed_report, HeedReport(order_id=order.order_id, report=stray))
        assert await one(world, "SELECT count(*) FROM exceptions") == 1


class TestOfNothing:
    """A fulfilment or an order that the store does not hold is an answer, and is not asked for again and again."""

    async def test_a_report_or_a_command_is_refused_for_good(self, database: Database) -> None:
        order = small.order("of-nothing", A=1)
        await accept(database, order)
        unknown, at = f"{order.order_id}-F9", MONDAY_NOON
        stray = ParcelReport(fulfilment_id=unknown, kind=CarrierEventKind.DELIVERED, actor="northline", at=at)
        taken = TakeNodeStep(fulfilment_id=unknown, step=FulfilmentStep.PACK, actor="node", at=at)
        arrived = CountAsDelivered(fulfilment_id=unknown, actor="support", at=at, reason="it came")
        changing, nobody = Changing(database), "web-nobody"
        refused = (
            changing.heed_report(HeedReport(order_id=order.order_id, report=stray)),
            changing.heed_report(HeedReport(order_id=order.order_id, report=taken)),
            changing.change_order(ChangeOrder(order_id=order.order_id, command=arrived)),
            changing.change_order(ChangeOrder(order_id=nobody, command=all_of())),
        )
        for error in await asyncio.gather(*refused, return_exceptions=True):
            assert isinstance(error, ApplicationError), error
            assert (error.type, error.non_retryable) == ("not-found", True)
        assert await changing.read_order(ReadOrder(order_id=nobody)) is None


class TestCancelling:
    async def test_cancels_a_request_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("cancelled", A=2, NEVER=1)
        await accept(database, order)
        command = all_of().model_copy(update={"request": "key", "request_hash": "hash"})
        cancelled = await twice(
            world, Changing(database).change_order, ChangeOrder(order_id=order.order_id, command=command)
        )
        assert (cancelled.units, cancelled.request_hash) == ({"1": 2, "2": 1}, "hash")
        assert await rows(world, "SELECT cancelled, backordered FROM order_lines ORDER BY position") == [(2, 0), (1, 0)]
        assert await one(world, "SELECT sum(used) FROM node_days") == 0
        await check_books(world)


class TestShipping:
    async def test_books_and_voids_an_attempt_once(self, world: AsyncEngine, database: Database) -> None:
        order, carrier = small.order("booked", A=2), RecordingCarrier()
        await accept(database, order)
        await Changing(database).change_order(step(order, FulfilmentStatus.PACKED))
        shipping = Shipping(database, CarrierRegistry({carrier.name: carrier}))
        request = Packing(order_id=order.order_id, fulfilment_id="web-booked-F1", attempt=1)
        booked = await twice(world, shipping.book_carrier, request)
        assert booked.tracking_number == "T-web-booked-F1-B1"
        assert set(carrier.booked) == {"web-booked-F1-B1"}
        await shipping.void_booking(request)
        voided = await rows(world, "SELECT status FROM shipments")
        await twice(world, shipping.void_booking, request.model_copy(update={"attempt": 2}))
        assert voided == await rows(world, "SELECT status FROM shipments") == [("voided",)]
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'booking_voided'") == 1

    async def test_nobody_serves_an_unknown_carrier(self, database: Database) -> None:
        order = small.order("nobody", A=2)
        await accept(database, order)
        request = Packing(order_id=order.order_id, fulfilment_id="web-nobody-F1", attempt=1)
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM tariffs")
            await bump(connection)
        with pytest.raises(ApplicationError) as refused:
            await Shipping(database, CarrierRegistry({})).book_carrier(request)
        assert refused.value.type == "outside-failure"


class TestReturning:
    async def test_each_step_is_written_once(self, world: AsyncEngine, database: Database) -> None:
        order = small.order("back", A=3)
        await deliver(database, order)
        returning, rma = Returning(database), "web-back-R1"
        about = {"return_id": rma, "order_id": order.order_id, "actor": "node", "occurred_at": MONDAY_NOON}
        opened = await twice(
            world,
            returning.open_return,
            OpenReturn(**about, lines=(("1", 2),), reason="too big", node_id=None),
        )
        assert (opened.node_id, opened.announced) == ("dc-leeds", {"1": 2})
        receive = CommitReturn(**about, command=Receive(lines=(("1", 1),)), request="k1", request_hash="h1")
        received = await twice(world, returning.commit_return, receive)
        assert (received.status, received.received) == (ReturnStatus.RECEIVED, {"1": 1})
        found = Inspect(found=(("1", Disposition.RESTOCK, 1),))
        for number in (2, 3):
            inspect = CommitReturn(**about, command=found, request=f"k{number}", request_hash="h2")
            refunded = await twice(world, returning.commit_return, inspect)
            assert (refunded.refund, refunded.currency) == ((number - 1) * 1000, "GBP")
            rest = CommitReturn(**about, command=Receive(), request=f"r{number}", request_hash="h3")
            if number == 2:
                await twice(world, returning.commit_return, rest)
        assert await balance(world, "dc-leeds", "A") == (99, 0)
        assert await rows(world, "SELECT business_key, amount FROM refunds ORDER BY 1") == [
            (f"{rma}/refund/3", 1000),
            (f"{rma}/refund/5", 1000),
        ]
        await check_books(world)

    @pytest.mark.parametrize("command", [CancelReturn(), CloseReturn(), ExpireReturn()], ids=lambda each: each.do)
    async def test_what_did_not_come_is_let_go_once(
        self, world: AsyncEngine, database: Database, command: CancelReturn | CloseReturn | ExpireReturn
    ) -> None:
        order = small.order("let-go", A=3)
        await deliver(database, order)
        returning = Returning(database, lasts=timedelta(0))
        about = {"return_id": "web-let-go-R1", "order_id": order.order_id, "actor": "node", "occurred_at": MONDAY_NOON}
        await returning.open_return(OpenReturn(**about, lines=(("1", 3),), reason="", node_id=None))
        receive = CommitReturn(**about, command=Receive(lines=(("1", 1),)), request="k1", request_hash="h1")
        await returning.commit_return(receive)
        view = await twice(world, returning.commit_return, CommitReturn(**about, command=command, request="k2"))
        assert (view.stands, view.released) == (ReturnStatus.RECEIVED, {"1": 2})
        await check_books(world)

    async def test_the_same_return_with_other_content_is_refused(self, database: Database) -> None:
        order = small.order("back-other", A=3)
        await deliver(database, order)
        about = {"return_id": "web-back-other-R1", "order_id": order.order_id, "actor": "customer"}
        request = OpenReturn(**about, lines=(("1", 1),), reason="too big", node_id=None, occurred_at=MONDAY_NOON)
        await Returning(database).open_return(request)
        with pytest.raises(ApplicationError) as refused:
            await Returning(database).open_return(request.model_copy(update={"lines": (("1", 2),)}))
        assert refused.value.type == "conflict"
