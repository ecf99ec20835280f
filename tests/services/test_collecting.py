"""Goods that wait for their customer are given out for the code, or end once: collected, cancelled or not collected."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.asked import CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.commands import CancelUnits, PlaceHold, ReleaseHold, TakeNodeStep
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.pickup import CODE_LETTERS, MOST_WRONG_CODES
from dom.orders.pickup_commands import PutBack
from dom.orders.status import ReasonCode
from dom.shared.errors import (
    CodeRequired,
    CollectionLocked,
    InvalidInput,
    OnHold,
    StepNotPossible,
    WrongCode,
)
from services import collection_terms, node_steps, order_waits
from services.database import Database
from store import stock
from store.enums import LedgerKind
from store.fulfilment.work_list import WorkFilter, work_list
from store.orders import reads, timeline
from store.policy import policies
from tests.worlds import small
from tests.worlds.advancing import all_of, collected, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.collecting import (
    WRITING,
    code_of,
    collect,
    keeping,
    kept,
    look,
    ready,
    say,
    status,
    to_put_back,
    work,
)
from tests.worlds.policies import policy
from tests.worlds.races import TURNS

TOLD: Final = "SELECT kind FROM outbox WHERE medium = 'mail' AND order_id = :id ORDER BY id"
NOTICES: Final = "SELECT count(*) FROM outbox WHERE medium = 'workflow' AND order_id = :id"
SECOND: Final = timedelta(seconds=1)


class TestTheCode:
    async def test_is_short_unambiguous_and_kept_until_the_store_closes(self, world: AsyncEngine) -> None:
        order = await ready(world)
        code = await code_of(world, order)
        assert len(code) == 6
        assert set(code) <= set(CODE_LETTERS)
        assert not set("01OILU") & set(CODE_LETTERS)
        end = (await kept(world, order)).astimezone(ZoneInfo("Europe/London"))
        days = (end.date() - datetime.now(ZoneInfo("Europe/London")).date()).days
        assert days >= 7
        assert end == await kept(world, order)

    async def test_is_needed_and_written_as_people_do(self, world: AsyncEngine) -> None:
        order = await ready(world)
        code = await code_of(world, order)
        with pytest.raises(CodeRequired):
            await collect(world, order)
        assert await status(world, order) == "ready_for_collection"
        taken = await collect(world, order, code=f" {code[:3].lower()}-{code[3:]} ")
        assert taken.state.status() == "delivered"
        assert await balance(world, "st-york", "A") == (4, 0)
        assert (await collect(world, order, code=code)).repeated
        await check_books(world)

    async def test_that_is_wrong_is_counted_and_after_five_none_counts(self, world: AsyncEngine) -> None:
        order = await ready(world)
        code = await code_of(world, order)
        for left in range(MOST_WRONG_CODES - 1, -1, -1):
            with pytest.raises(WrongCode) as wrong:
                await collect(world, order, code="222222")
            assert wrong.value.data == {"tries_left": left}
        with pytest.raises(CollectionLocked):
            await collect(world, order, code=code)
        locked = "SELECT status, order_id FROM exceptions WHERE kind = 'collection_locked'"
        assert await rows(world, locked) == [("open", order.order_id)]
        async with world.begin() as connection:
            await do(connection, order.order_id, collected(work(order)))
        assert await rows(world, locked) == [("closed", order.order_id)]
        assert await status(world, order) == "collected"

    async def test_a_repeat_under_its_key_counts_once_and_another_code_again(self, world: AsyncEngine) -> None:
        order = await ready(world)
        for code, digest, left in (("222222", "a", 4), ("222222", "a", 4), ("333333", "b", 3)):
            with pytest.raises(WrongCode) as wrong:
                await collect(world, order, code=code, request="key", request_hash=digest)
            assert wrong.value.data == {"tries_left": left}
        assert await one(world, "SELECT wrong_codes FROM collections") == 2

    async def test_cannot_be_guessed_by_many_at_once(self, world: AsyncEngine) -> None:
        order = await ready(world)
        guesses = (collect(world, order, code=f"22222{letter}") for letter in CODE_LETTERS[:12])
        said = await asyncio.gather(*guesses, return_exceptions=True)
        assert [type(each) for each in said].count(WrongCode) == MOST_WRONG_CODES
        assert [type(each) for each in said].count(CollectionLocked) == 12 - MOST_WRONG_CODES
        assert await one(world, "SELECT wrong_codes FROM collections") == MOST_WRONG_CODES

    async def test_is_another_for_each_that_waits_at_the_node(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = iter(["222222", "222222", "333333", "222222"])
        monkeypatch.setattr(collection_terms, "new_code", lambda: next(drawn))
        first, second = await ready(world, "first"), await ready(world, "second")
        assert (await code_of(world, first), await code_of(world, second)) == ("222222", "333333")
        await collect(world, first, code="222222")
        assert await code_of(world, await ready(world, "third")) == "222222"

    async def test_is_not_needed_where_the_policy_says_so_and_a_wrong_one_is_none(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            free = policy(name="free", collection={"code_required": False, "keep_days": 3, "remind_days_before": []})
            await policies.publish_policy(connection, free, "test")
        order = await ready(world)
        assert await kept(world, order) < datetime.now(UTC) + timedelta(days=7)
        with pytest.raises(WrongCode):
            await collect(world, order, code="222222")
        assert (await collect(world, order)).state.status() == "delivered"

    async def test_is_said_of_what_is_collected_alone(self, world: AsyncEngine) -> None:
        order = small.order("early", A=1, tags=[])
        await accept(Database(world), order)
        pick = TakeNodeStep(fulfilment_id=work(order), step="pick", actor="york", at=datetime.now(UTC), code="222222")
        with pytest.raises(InvalidInput) as refused:
            await node_steps.take(world, pick, WRITING)
        assert refused.value.field == "code"

    @pytest.mark.parametrize("days", [[7], [2, 2]])
    def test_reminds_of_nothing_before_it_is_ready_or_twice(self, days: list[int]) -> None:
        with pytest.raises(ValidationError):
            policy(collection={"remind_days_before": days})

    async def test_a_person_who_checked_the_identity_says_how(self, world: AsyncEngine) -> None:
        order = await ready(world)
        with pytest.raises(InvalidInput, match="how the customer's identity"):
            await collect(world, order, identity_checked=True, reason=" ")
        await collect(world, order, identity_checked=True, reason="passport")
        async with world.connect() as connection:
            last = (await timeline.of_order(connection, order.order_id))[-1]
        assert (last["kind"], last["reason"]) == ("fulfilment_collected", "passport")
        assert last["data"]["identity_checked"] is True

    async def test_stands_in_no_message_event_or_work_list(self, world: AsyncEngine) -> None:
        order = await ready(world)
        code = await code_of(world, order)
        with pytest.raises(WrongCode):
            await collect(world, order, code="222222")
        for table in ("outbox", "timeline", "fulfilments", "exceptions", "order_search"):
            whole = f"SELECT string_agg(t::text, ' ') FROM {table} t"  # noqa: S608  the names are ours
            assert code not in str(await one(world, whole))
            assert "222222" not in str(await one(world, whole))
        async with world.connect() as connection:
            listed = await work_list(connection, WorkFilter(node_id="st-york"))
        assert code not in str([dict(each) for each in listed])
        assert (listed[0]["collect_by"], listed[0]["code_required"]) == (await kept(world, order), True)

    async def test_what_was_ready_before_there_were_codes_is_collected_without(self, world: AsyncEngine) -> None:
        order = await ready(world)
        async with world.begin() as connection:
            await connection.execute(text("DELETE FROM collections"))
        assert await look(world, datetime.now(UTC) + timedelta(days=400)) == 0
        with pytest.raises(StepNotPossible):
            await say(world, keeping(order, datetime.now(UTC) + timedelta(days=1)))
        assert (await collect(world, order)).state.status() == "delivered"


class TestWhatIsNotCollected:
    async def test_is_cancelled_once_and_its_stock_is_free(self, world: AsyncEngine) -> None:
        order = await ready(world, units=2)
        end, notices = await kept(world, order), await one(world, NOTICES, id=order.order_id)
        assert await balance(world, "st-york", "A") == (5, 2)
        assert await look(world, end - SECOND) == 1  # the reminder
        assert await balance(world, "st-york", "A") == (5, 2)
        assert await look(world, end) == 1
        assert await look(world, end + timedelta(days=1)) == 0
        assert await balance(world, "st-york", "A") == (5, 0)
        found = "SELECT status, reason FROM fulfilments WHERE order_id = :id"
        assert await rows(world, found, id=order.order_id) == [("cancelled", "not_collected")]
        assert await one(world, "SELECT status FROM orders WHERE id = :id", id=order.order_id) == "cancelled"
        assert await rows(world, "SELECT cancelled, quantity FROM order_lines") == [(2, 2)]
        event = "SELECT actor, reason, data->'lines' FROM timeline WHERE kind = 'cancelled'"
        assert await rows(world, event) == [("system:expiry", "not_collected", {"1": 2})]
        told = [kind for (kind,) in await rows(world, TOLD, id=order.order_id)]
        assert told == ["order_confirmed", "ready_for_collection", "collection_reminder", "cancelled"]
        assert int(str(await one(world, NOTICES, id=order.order_id))) == int(str(notices)) + 1
        with pytest.raises(StepNotPossible):
            await collect(world, order, code=await code_of(world, order))
        await check_books(world)

    async def test_is_put_back_by_the_node_once(self, world: AsyncEngine) -> None:
        order = await ready(world)
        other = await ready(world, "other")
        assert await to_put_back(world) == []
        with pytest.raises(StepNotPossible):
            await say(world, PutBack(fulfilment_id=work(order), actor="york", at=datetime.now(UTC)))
        async with world.begin() as connection:
            await do(connection, other.order_id, all_of())
        await look(world, await kept(world, order))
        assert set(await to_put_back(world)) == {work(order), work(other)}
        assert await to_put_back(world, order.order_id) == [work(order)]
        async with world.connect() as connection:
            found = await work_list(connection, WorkFilter(order_id=order.order_id, put_back=True))
        assert [row["units_to_put_back"] for row in found] == [[{"sku": "A", "quantity": 1}]]
        for number in range(2):
            done = await say(world, PutBack(fulfilment_id=work(order), actor="york", at=datetime.now(UTC)))
            assert done.repeated == bool(number)
        assert await to_put_back(world, order.order_id) == []
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'put_back'") == 1

    async def test_waits_while_a_hold_keeps_it_from_the_customer(self, world: AsyncEngine) -> None:
        order = await ready(world)
        end = await kept(world, order)
        placed = PlaceHold(type="manual", blocks=frozenset({BlockedStep.HAND_OVER}), actor="ada", at=end)
        async with world.begin() as connection:
            await do(connection, order.order_id, placed)
        with pytest.raises(OnHold):
            await collect(world, order, code=await code_of(world, order))
        assert await look(world, end) == 0
        async with world.begin() as connection:
            await do(connection, order.order_id, ReleaseHold(hold_id=f"{order.order_id}-H1", actor="ada", at=end))
        assert await look(world, end) == 1

    async def test_ends_a_cancellation_that_the_node_is_asked_for(self, world: AsyncEngine) -> None:
        order = await ready(world)
        end = await kept(world, order)
        asked = CancelUnits(lines=None, mode=CancelMode.ASK, actor="ada", at=end, answer_by={work(order): end})
        async with world.begin() as connection:
            await do(connection, order.order_id, asked)
        assert await look(world, end) == 1
        ended = "SELECT status, ended_by FROM cancellation_requests"
        assert await rows(world, ended) == [(CancellationStatus.WITHDRAWN, "cancelled_otherwise")]
        await check_books(world)

    async def test_of_a_replayed_order_lives_in_its_own_time(self, world: AsyncEngine) -> None:
        order = await ready(world, tags=["replay"])
        assert (await kept(world, order)).date().isoformat() >= "2026-03-09"
        assert (await kept(world, order)).date().isoformat() <= "2026-03-11"
        assert await look(world, datetime.now(UTC) + timedelta(days=400)) == 0


class TestAReminder:
    async def test_goes_out_once_whoever_looks(self, world: AsyncEngine) -> None:
        order = await ready(world)
        end = await kept(world, order)
        assert await look(world, end - timedelta(days=2, seconds=1)) == 0
        at = end - timedelta(days=2)
        said = await asyncio.gather(*(look(world, at) for _ in range(6)))
        assert sum(said) == 1
        assert await look(world, end - SECOND) == 0
        told = [kind for (kind,) in await rows(world, TOLD, id=order.order_id)]
        assert told.count("collection_reminder") == 1
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'collection_reminded'") == 1

    async def test_is_one_for_each_that_the_policy_names(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            often = policy(name="often", collection={"keep_days": 10, "remind_days_before": [1, 5, 3]})
            await policies.publish_policy(connection, often, "test")
        order = await ready(world)
        end = await kept(world, order)
        said = [await look(world, end - timedelta(hours=hours)) for hours in range(240, 0, -6)]
        assert sum(said) == 3
        assert (
            await one(world, "SELECT count(*) FROM outbox WHERE kind = 'collection_reminder' AND medium = 'mail'") == 3
        )


class TestKeepingItLonger:
    async def test_puts_the_end_off_and_reminds_before_the_new_one(self, world: AsyncEngine) -> None:
        order = await ready(world)
        end = await kept(world, order)
        later = end + timedelta(days=10)
        await look(world, end - SECOND)
        assert not (await say(world, keeping(order, later))).repeated
        assert (await say(world, keeping(order, later))).repeated
        assert await look(world, end) == 0
        async with world.connect() as connection:
            found = await reads.order(connection, order.order_id)
            assert found is not None
            (waits,) = await order_waits.read(connection, found, datetime.now(UTC))
        assert (waits.what, waits.until) == ("collection", later)
        assert [await look(world, later - timedelta(days=2)), await look(world, later)] == [1, 1]
        assert await status(world, order) == "cancelled"

    @pytest.mark.parametrize("days", [-1, 0, 400])
    async def test_refuses_what_is_not_later_or_too_late(self, world: AsyncEngine, days: int) -> None:
        order = await ready(world)
        with pytest.raises(InvalidInput) as refused:
            await say(world, keeping(order, await kept(world, order) + timedelta(days=days, seconds=-1)))
        assert refused.value.field == "until"

    async def test_is_too_late_once_it_ended(self, world: AsyncEngine) -> None:
        order = await ready(world)
        await look(world, await kept(world, order))
        with pytest.raises(StepNotPossible):
            await say(world, keeping(order, datetime.now(UTC) + timedelta(days=30)))


async def test_expiry_against_collection_ends_in_one_of_both(world: AsyncEngine) -> None:
    """Each order is a turn: its customer stands at the counter when its time is over, and two workers look. Who comes
    first decides: the goods left and count as gone, or they are free again.
    """
    await stocked(world, TURNS)
    orders = [await ready(world, f"turn-{number}") for number in range(TURNS)]
    end = max([await kept(world, order) for order in orders])
    codes = dict(await rows(world, "SELECT order_id, code FROM collections"))
    places = asyncio.Semaphore(6)

    async def at_the_counter(order: Order) -> str:
        async with places:
            try:
                await collect(world, order, code=codes[order.order_id])
            except StepNotPossible:
                return "cancelled"
            return "collected"

    customers = asyncio.gather(*map(at_the_counter, orders))
    expired = await asyncio.gather(look(world, end), look(world, end))
    said = await customers
    found = [str(await status(world, order)) for order in orders]
    assert found == said
    assert set(said) <= {"collected", "cancelled"}
    assert sum(expired) == said.count("cancelled")
    assert await balance(world, "st-york", "A") == (5 + TURNS - said.count("collected"), 0)
    await check_books(world)


async def stocked(world: AsyncEngine, units: int) -> None:
    """So many units more lie in the store."""
    more = stock.Movement("st-york", "A", units, LedgerKind.ADJUSTMENT, "found", "found", reason_code=ReasonCode.FOUND)
    async with world.begin() as connection:
        await stock.move(connection, more, actor="test", at=datetime.now(UTC))
