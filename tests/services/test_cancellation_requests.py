"""What a node has picked is cancelled if the node lets it; whatever ends a request, it ends once and in one way."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.asked import CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.commands import AnswerCancellation, BookCarrierRefused, CancelUnits, Command
from dom.orders.order import Order
from dom.orders.status import CarrierEventKind, FulfilmentStatus
from dom.orders.views import OrderAfter
from dom.shared import ids
from dom.shared.errors import CannotCancel, Conflict, NotFound, StepNotPossible
from dom.sourcing.policy.answers import Cancellations
from services import cancellation_requests, carrier_reports, order_process
from services.change_orders import Writing
from services.database import Database
from store.fulfilment import cancellation_requests as requests
from tests.worlds import small
from tests.worlds.advancing import S, comes_to, do, to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.sourcing import MONDAY_NOON

NOTIFY: Final = Writing(webhook=False, notify=True)
C = CancellationStatus
GRANT, REFUSE, EXPIRE = C.GRANTED, C.REFUSED, C.EXPIRED
REQUESTS: Final = "SELECT status, ended_by FROM cancellation_requests ORDER BY id"
EXCEPTIONS: Final = "SELECT count(*) FROM exceptions WHERE kind = 'cancellation_not_granted'"
MESSAGES: Final = "SELECT count(*) FROM outbox WHERE kind = 'cancelled' AND medium = 'mail'"
PICKED: Final = (S.ACCEPTED, S.PICKED)
BOOKED: Final = (*PICKED, S.PACKED, S.BOOKED)


async def at(world: AsyncEngine, *statuses: FulfilmentStatus, name: str = "asked", **lines: int) -> Order:
    """An order of today whose work came to the statuses."""
    order = small.order(name, tags=[], **(lines or {"A": 2}))
    await accept(Database(world), order)
    await comes_to(world, f"{order.order_id}-F1", *statuses)
    return order


def asking(lines: Mapping[str, int | None] | None = None, **fields: Any) -> CancelUnits:
    asked = None if lines is None else dict(lines)
    fields = {"mode": CancelMode.ASK, **fields}
    return CancelUnits(lines=asked, actor="support", at=MONDAY_NOON, reason="changed mind", **fields)


async def ask(world: AsyncEngine, order: Order, command: CancelUnits | None = None) -> OrderAfter:
    return await order_process.change(Database(world), order.order_id, command or asking())


async def answer(world: AsyncEngine, order: Order, said: Any, number: int = 1, **fields: Any) -> Mapping[str, Any]:
    return await cancellation_requests.answer(world, answering(order, said, number, **fields), NOTIFY)


def answering(order: Order, said: Any, number: int = 1, **fields: Any) -> AnswerCancellation:
    request_id = ids.cancellation_request_id(order.order_id, number)
    fields = {"actor": "node", **fields}
    return AnswerCancellation(request_id=request_id, answer=said, at=MONDAY_NOON, reason="said so", **fields)


class TestAsked:
    async def test_nothing_is_taken_and_the_answer_names_the_request(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED)
        after = await ask(world, order)
        (line,) = after.lines
        (left,) = line.left
        assert (after.units, line.asked, line.cancelled) == ({}, 2, 0)
        assert (left.quantity, left.reason, left.fulfilment_id) == (2, "asked", f"{order.order_id}-F1")
        assert left.request_id == f"{order.order_id}-C1"
        assert left.answer_by is not None
        assert await rows(world, REQUESTS) == [("asked", None)]
        assert await one(world, "SELECT status FROM fulfilments") == "booked"
        assert await one(world, "SELECT kind FROM timeline ORDER BY id DESC LIMIT 1") == "cancellation_asked"
        assert await one(world, MESSAGES) == 0
        await check_books(world, reserved=2)

    async def test_what_is_not_picked_is_cancelled_at_once(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED, A=2, NEVER=1)
        after = await ask(world, order)
        assert after.units == {"2": 1}
        assert [(line.line_id, line.cancelled, [left.reason for left in line.left]) for line in after.lines] == [
            ("1", 0, ["asked"]), ("2", 1, []),
        ]  # fmt: skip
        assert await one(world, MESSAGES) == 1
        await answer(world, order, GRANT)
        assert await one(world, MESSAGES) == 2
        await check_books(world)

    @pytest.mark.parametrize("statuses", [(), (S.ACCEPTED,)])
    async def test_nobody_where_nothing_is_picked(
        self, world: AsyncEngine, statuses: tuple[FulfilmentStatus, ...]
    ) -> None:
        order = await at(world, *statuses)
        assert (await ask(world, order)).units == {"1": 2}
        assert await rows(world, REQUESTS) == []

    async def test_again_only_for_other_units(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED, A=3)
        await ask(world, order, asking({"1": 2}))
        (line,) = (await ask(world, order)).lines
        assert [(left.quantity, left.reason, left.request_id) for left in line.left] == [
            (1, "asked", f"{order.order_id}-C2"), (2, "asked_before", f"{order.order_id}-C1"),
        ]  # fmt: skip
        with pytest.raises(CannotCancel) as refused:
            await ask(world, order)
        assert {left["reason"] for left in refused.value.data["lines"][0]["left"]} == {"asked_before"}

    async def test_under_one_key_once(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED)
        command = asking(request="k", request_hash="h")
        assert (await ask(world, order, command)).lines == (await ask(world, order, command)).lines
        assert await rows(world, REQUESTS) == [("asked", None)]
        with pytest.raises(Conflict):
            await ask(world, order, asking(request="k", request_hash="another"))

    @pytest.mark.parametrize("mode", [CancelMode.ALL, CancelMode.POSSIBLE])
    async def test_nobody_by_the_other_modes_which_end_what_was_asked(
        self, world: AsyncEngine, mode: CancelMode
    ) -> None:
        order = await at(world, *BOOKED)
        await ask(world, order)
        assert (await ask(world, order, asking(mode=mode))).units == {"1": 2}
        assert await rows(world, REQUESTS) == [("withdrawn", "cancelled_otherwise")]
        assert await one(world, EXCEPTIONS) == 0
        with pytest.raises(StepNotPossible):
            await answer(world, order, GRANT)
        await check_books(world)


class TestAnswered:
    @pytest.mark.parametrize("statuses", [PICKED, (*PICKED, S.PACKED), BOOKED])
    async def test_granted_units_are_cancelled_once(
        self, world: AsyncEngine, statuses: tuple[FulfilmentStatus, ...]
    ) -> None:
        order = await at(world, *statuses)
        await ask(world, order)
        said = await answer(world, order, GRANT)
        assert (said["status"], said["answered_by"], said["reply"]) == ("granted", "node", "said so")
        assert dict(await answer(world, order, GRANT)) == dict(said)
        for refused in (REFUSE,):
            with pytest.raises(StepNotPossible) as why:
                await answer(world, order, refused)
            assert why.value.data == {"status": "granted", "ended_by": None}
        assert await one(world, "SELECT status FROM orders") == "cancelled"
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 1
        assert await one(world, "SELECT coalesce(sum(used), 0) FROM node_days") == 0
        assert await one(world, MESSAGES) == 1
        await check_books(world)

    async def test_granted_units_of_a_packed_parcel_have_it_packed_anew(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED, A=3)
        await ask(world, order, asking({"1": 1}))
        await answer(world, order, GRANT)
        assert await one(world, "SELECT status FROM fulfilments") == "picked"
        assert await one(world, "SELECT cancelled FROM order_lines") == 1
        await check_books(world, reserved=2)

    async def test_fewer_where_some_were_cancelled_meanwhile(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED, A=3)
        await ask(world, order, asking({"1": 3}))
        await ask(world, order, asking({"1": 2}, mode=CancelMode.ALL))
        assert await rows(world, REQUESTS) == [("asked", None)]
        await answer(world, order, GRANT)
        assert await one(world, "SELECT cancelled FROM order_lines") == 3
        await check_books(world)

    async def test_refused_is_put_before_a_person(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED)
        await ask(world, order)
        await answer(world, order, REFUSE)
        assert dict(await answer(world, order, REFUSE))["status"] == "refused"
        assert await one(world, EXCEPTIONS) == 1
        await comes_to(world, f"{order.order_id}-F1", S.HANDED_OVER)
        assert await rows(world, REQUESTS) == [("refused", None)]
        await check_books(world)

    async def test_under_one_key_once(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED)
        await ask(world, order)
        key: dict[str, Any] = {"request": "C1/granted/k", "request_hash": "h"}
        assert await answer(world, order, GRANT, **key) == await answer(world, order, GRANT, **key)
        with pytest.raises(Conflict):
            await answer(world, order, GRANT, **{**key, "request_hash": "other"})

    async def test_what_nobody_asked(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED)
        with pytest.raises(NotFound, match="cancellation request"):
            await answer(world, order, GRANT)


class TestOvertaken:
    async def test_by_the_hand_over(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED)
        await ask(world, order)
        await comes_to(world, f"{order.order_id}-F1", S.HANDED_OVER)
        assert await rows(world, REQUESTS) == [("refused", "handed_over")]
        assert await one(world, EXCEPTIONS) == 1
        with pytest.raises(StepNotPossible) as refused:
            await answer(world, order, GRANT)
        assert refused.value.data == {"status": "refused", "ended_by": "handed_over"}
        assert await one(world, "SELECT cancelled FROM order_lines") == 0
        await check_books(world)

    async def test_by_who_collects(self, world: AsyncEngine) -> None:
        order = small.order("collects", A=1, tags=[], shipping_method="pickup", pickup_node="st-york")
        await accept(Database(world), order)
        await comes_to(world, f"{order.order_id}-F1", *PICKED, S.READY)
        await ask(world, order)
        await comes_to(world, f"{order.order_id}-F1", S.COLLECTED)
        assert await rows(world, REQUESTS) == [("refused", "collected")]

    async def test_by_a_carrier_that_refuses_the_parcel(self, world: AsyncEngine) -> None:
        """The units lost their node, and nobody wants them: they are cancelled, and others are sourced anew."""
        order = await at(world, *PICKED, S.PACKED, A=3)
        await ask(world, order, asking({"1": 2}))
        async with world.begin() as connection:
            fulfilment_id = f"{order.order_id}-F1"
            refusal = BookCarrierRefused(fulfilment_id=fulfilment_id, attempt=1, reason="too large", at=MONDAY_NOON)
            await do(connection, order.order_id, refusal)
        assert await rows(world, REQUESTS) == [("granted", "node_gave_up")]
        assert await rows(world, "SELECT cancelled, backordered FROM order_lines") == [(2, 1)]
        assert await one(world, MESSAGES) == 1
        await check_books(world)


class TestSilence:
    async def look(self, world: AsyncEngine, seconds: int, **policy: Any) -> int:
        [(due,)] = await rows(world, "SELECT answer_by FROM cancellation_requests")
        now = due + timedelta(seconds=seconds)
        return await cancellation_requests.look(world, Cancellations.model_validate(policy), now, NOTIFY)

    async def test_ends_when_the_time_is_over_and_not_before(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED)
        await ask(world, order)
        assert await self.look(world, -1) == 0
        assert await self.look(world, 0) == 1
        assert await self.look(world, 0) == 0
        assert await rows(world, REQUESTS) == [("expired", "no_answer")]
        assert await one(world, EXCEPTIONS) == 1
        assert await one(world, "SELECT actor FROM timeline WHERE kind = 'cancellation_expired'") == "system:timeout"
        assert await one(world, "SELECT status FROM fulfilments") == "booked"
        with pytest.raises(StepNotPossible):
            await answer(world, order, GRANT)

    async def test_is_consent_where_the_policy_says_so(self, world: AsyncEngine) -> None:
        order = await at(world, *BOOKED)
        await ask(world, order)
        assert await self.look(world, 0, silence="granted") == 1
        assert await rows(world, REQUESTS) == [("granted", "no_answer")]
        assert await one(world, "SELECT status FROM orders WHERE id = :id", id=order.order_id) == "cancelled"
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'order_changed'") == 1
        with pytest.raises(StepNotPossible):
            await answer(world, order, GRANT)
        await check_books(world)

    async def test_of_replayed_orders_counts_for_nothing(self, world: AsyncEngine) -> None:
        order = small.order("replayed", A=2)
        await accept(Database(world, replaying=True), order)
        await comes_to(world, f"{order.order_id}-F1", *PICKED)
        await ask(world, order)
        assert await self.look(world, 9) == 0


class TestAtTheCarrier:
    """A parcel that left is asked back of its carrier, whole."""

    async def sent(self, world: AsyncEngine, **lines: Any) -> Order:
        return await at(world, *BOOKED, S.HANDED_OVER, **lines)

    async def reported(self, world: AsyncEngine, order: Order, kind: str) -> None:
        report = ParcelReport(
            fulfilment_id=f"{order.order_id}-F1",
            kind=CarrierEventKind(kind),
            actor="northline",
            at=MONDAY_NOON,
            shipment_id=f"{order.order_id}-F1-B1",
            event_id=kind,
        )
        async with world.begin() as connection:
            assert await carrier_reports.heed(connection, order.order_id, report, NOTIFY)

    async def test_is_asked_back_whole_and_no_node_can_answer(self, world: AsyncEngine) -> None:
        order = await self.sent(world)
        (line,) = (await ask(world, order)).lines
        assert [(left.quantity, left.reason, left.request_id) for left in line.left] == [
            (2, "carrier_asked", f"{order.order_id}-C1")
        ]
        view = await order_process.read(Database(world), order.order_id)
        assert view is not None
        assert view.fulfilments[0].intercept == line.left[0].request_id
        for said in (GRANT, REFUSE):
            with pytest.raises(StepNotPossible) as refused:
                await answer(world, order, said)
            assert refused.value.data == {"asked_of": "carrier"}
        with pytest.raises(CannotCancel):
            await ask(world, order)

    async def test_a_part_of_it_is_not(self, world: AsyncEngine) -> None:
        order = await self.sent(world, A=2, B=1)
        for lines in ({"1": 1}, {"1": 2}):
            with pytest.raises(CannotCancel) as refused:
                await ask(world, order, asking(lines))
            assert refused.value.data["lines"][0]["left"][0]["reason"] == "handed_over"
        assert await rows(world, REQUESTS) == []

    @pytest.mark.parametrize("kind", ["intercepted", "refused", "returned_to_sender"])
    async def test_comes_back_and_its_units_are_cancelled_once(self, world: AsyncEngine, kind: str) -> None:
        order = await self.sent(world)
        await ask(world, order)
        await self.reported(world, order, kind)
        await self.reported(world, order, "returned_to_sender")
        assert await rows(world, REQUESTS) == [("granted", "came_back")]
        assert await rows(world, "SELECT cancelled, backordered FROM order_lines") == [(2, 0)]
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'cancellation_granted'") == 1
        told = "SELECT count(*) FROM outbox WHERE kind IN ('cancelled', 'returned_to_sender') AND medium = 'mail'"
        assert await one(world, told) == 1
        await check_books(world)

    @pytest.mark.parametrize("kind", ["intercept_failed", "delivered"])
    async def test_goes_on_and_a_person_hears(self, world: AsyncEngine, kind: str) -> None:
        order = await self.sent(world)
        await ask(world, order)
        await self.reported(world, order, kind)
        await self.reported(world, order, "intercept_failed")
        assert await rows(world, REQUESTS) == [("refused", kind)]
        assert await one(world, EXCEPTIONS) == 1
        assert await one(world, "SELECT cancelled FROM order_lines") == 0
        if kind == "intercept_failed":
            (line,) = (await ask(world, order)).lines
            assert line.left[0].reason == "carrier_asked", "it can be asked once more"

    async def test_lost_is_not_sent_again(self, world: AsyncEngine) -> None:
        order = await self.sent(world)
        await ask(world, order)
        await self.reported(world, order, "lost")
        assert await rows(world, REQUESTS) == [("granted", "lost")]
        assert await rows(world, "SELECT cancelled, backordered FROM order_lines") == [(2, 0)]
        assert await one(world, MESSAGES) == 1
        await check_books(world)

    async def test_silence_is_never_consent(self, world: AsyncEngine) -> None:
        order = await self.sent(world)
        await ask(world, order)
        assert await TestSilence().look(world, 0, silence="granted") == 1
        assert await rows(world, REQUESTS) == [("expired", "no_answer")]
        assert await one(world, "SELECT cancelled FROM order_lines") == 0


NEXT: Final[Mapping[str, Any]] = {
    "grant": lambda order: answering(order, GRANT),
    "refuse": lambda order: answering(order, REFUSE),
    "expire": lambda order: answering(order, EXPIRE, actor="system:timeout"),
    "hand-over": lambda order: to(f"{order.order_id}-F1", S.HANDED_OVER),
    "cancel": lambda _order: asking(mode=CancelMode.ALL),
}


@pytest.mark.parametrize("first", list(NEXT))
async def test_whatever_comes_first_is_what_happened(world: AsyncEngine, first: str) -> None:
    """Every sequence that begins with it ends alike for the request, and the units are in one place."""
    outcome = {"grant": "granted", "refuse": "refused", "expire": "expired", "hand-over": "refused"}
    for number, others in enumerate(permutations([name for name in NEXT if name != first], 2)):
        order = await at(world, *BOOKED, name=f"{first}-{number}")
        await ask(world, order)
        for name in (first, *others):
            command: Command = NEXT[name](order)
            try:
                async with world.begin() as connection:
                    await do(connection, order.order_id, command)
            except (NotFound, StepNotPossible, CannotCancel):
                assert name != first
        async with world.connect() as connection:
            found = await requests.get(connection, f"{order.order_id}-C1")
        assert found is not None
        assert found["status"] == outcome.get(first, "withdrawn")
        status = await one(world, "SELECT status FROM fulfilments WHERE order_id = :id", id=order.order_id)
        cancelled = await one(world, "SELECT cancelled FROM order_lines WHERE order_id = :id", id=order.order_id)
        assert (status == "cancelled", cancelled) in {(True, 2), (False, 0)}
        gone = [name for name in (first, *others) if name in {"grant", "cancel", "hand-over"}]
        if first == "grant" or gone[:1] == ["cancel"]:
            assert status == "cancelled"
    reserved = """SELECT coalesce(sum(l.quantity), 0) FROM fulfilments f
                  JOIN fulfilment_lines l ON l.fulfilment_id = f.id WHERE f.status = 'booked'"""
    [(units,)] = await rows(world, reserved)
    await check_books(world, reserved=units)
