"""`dom order` shows an order as the store holds it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dom.sourcing.policy.answers import Slips
from services import customer_questions
from services.change_orders import locked
from services.clock import utc_now
from services.database import Database
from store.database import engine
from tests.cli.conftest import Dom
from tests.cli.test_keys_commands import execute
from tests.worlds import small, to_store
from tests.worlds.advancing import S, comes_to
from tests.worlds.captured import accept


def capture(url: str, *orders: str) -> None:
    async def work() -> None:
        pool = engine.create(url, 1)
        for number in orders:
            await accept(Database(pool), small.order(number, A=2, NEVER=1))
        await pool.dispose()

    asyncio.run(work())


def ready(url: str, number: str) -> None:
    async def work() -> None:
        pool = engine.create(url, 1)
        order = small.order(number, A=1, shipping_method="pickup", pickup_node="st-york")
        await accept(Database(pool), order)
        await comes_to(pool, f"{order.order_id}-F1", S.READY)
        await pool.dispose()

    asyncio.run(work())


def brought(url: str, number: str) -> None:
    async def work() -> None:
        pool = engine.create(url, 1)
        await to_store.allow(pool)
        await to_store.on_the_way(pool, number)
        await pool.dispose()

    asyncio.run(work())


class TestOrder:
    def test_lines_fulfilments_and_timeline(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", "8")
        shown = dom("order", "web-7")
        assert shown.exit_code == 0, shown.output
        for part in ("web-7: accepted", "York YO1 7EP GB", "web-7-F1", "dc-leeds", "NEVER", "accepted", "channel:web"):
            assert part in shown.stdout
        assert "web-8" not in shown.stdout

    @pytest.mark.parametrize("order_id", ["web-9", "'; DROP TABLE orders; --"])
    def test_one_that_is_not_there(self, dom: Dom, order_id: str) -> None:
        refused = dom("order", order_id)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"dom: there is no order {order_id}")


class TestStaff:
    def test_a_note_is_written_and_shown(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        written = dom("order", "note", "web-7", "call first", "--link", "https://files.example/1", "--by", "kim")
        assert written.exit_code == 0, written.output
        shown = dom("order", "web-7").stdout
        for part in ("noted", "kim", "call first https://files.example/1"):
            assert part in shown
        assert execute(world_url, "SELECT route, principal, object FROM audit_log") == [
            ("dom order note", "kim", "web-7")
        ]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(("note", "web-9", "x"), 1), (("note", "web-7", " "), 2), (("note", "web-7", "x", "--link", "file:///x"), 2),
         (("note", "web-7", "x", "--by", "system:ofl"), 2), (("resend", "4711"), 1)],
    )  # fmt: skip
    def test_what_is_refused_leaves_nothing(
        self, dom: Dom, world_url: str, arguments: tuple[str, ...], code: int
    ) -> None:
        capture(world_url, "7")
        assert dom("order", *arguments).exit_code == code
        assert execute(world_url, "SELECT count(*) FROM audit_log") == [(0,)]
        assert execute(world_url, "SELECT DISTINCT kind FROM timeline") == [("accepted",)]

    def test_a_message_is_sent_again_once_it_has_gone_out(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        ((number,),) = execute(world_url, "SELECT id FROM outbox")
        assert dom("order", "resend", str(number)).exit_code == 1
        execute(world_url, "UPDATE outbox SET status = 'sent' RETURNING id")
        sent = dom("order", "resend", str(number), "--reason", "spam")
        assert sent.exit_code == 0, sent.output
        assert execute(world_url, "SELECT message_key, status FROM outbox ORDER BY id") == [
            ("accepted", "sent"),
            ("accepted:resent:1", "pending"),
        ]
        assert execute(world_url, "SELECT actor, reason FROM timeline WHERE kind = 'message_resent'") == [
            ("ada", "spam")
        ]

    def test_what_became_of_a_parcel(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        for verb in ("lost", "delivered"):
            refused = dom("order", verb, "web-7-F1")
            assert (refused.exit_code, refused.stderr) == (1, f"dom: web-7-F1 is released; it cannot be {verb}\n")
        execute(world_url, "UPDATE fulfilments SET status = 'handed_over'")
        lost = dom("order", "lost", "web-7-F1", "--reason", "fell off", "--by", "kim")
        assert lost.exit_code == 0, lost.output
        assert lost.stdout.startswith("web-7-F1 is lost, web-7 is backordered, 2 of line")
        assert dom("order", "delivered", "web-7-F1").stdout.startswith("web-7-F1 is delivered, web-7 is")
        logged = execute(world_url, "SELECT route, principal, object, reason FROM audit_log ORDER BY id")
        assert logged[0] == ("dom order lost", "kim", "web-7-F1", "fell off")

    def test_work_is_moved_with_its_stock(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        refused = dom("order", "move", "web-7-F1", "--to", "dropship-lille")
        assert (refused.exit_code, "holds nothing of it" in refused.stderr) == (1, True)
        moved = dom("order", "move", "web-7-F1", "--to", "wh-london", "--reason", "short of staff")
        assert moved.stdout == "web-7-F1 is recalled; its units are now web-7-F2 at wh-london\n", moved.output
        held = "SELECT node_id, reserved FROM stock WHERE reserved > 0"
        assert execute(world_url, held) == [("wh-london", 2)]

    def test_work_is_split(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        for wrong in ("x", "1=none", "1=0"):
            assert dom("order", "split", "web-7-F1", wrong).exit_code == 2
        assert dom("order", "split", "web-7-F1", "1=2").exit_code == 1
        parted = dom("order", "split", "web-7-F1", "1=1")
        assert parted.stdout == "1 units of web-7-F1 are now web-7-F2\n", parted.output

    def test_goods_are_kept_longer_and_given_out_without_the_code(self, dom: Dom, world_url: str) -> None:
        ready(world_url, "7")
        assert dom("order", "keep", "web-7-F1", "soon").exit_code == 2
        assert dom("order", "keep", "web-7-F1", "2026-01-01").exit_code == 1
        later = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"
        assert dom("order", "keep", "web-7-F1", later).stdout == f"web-7-F1 is kept until {later} 00:00Z\n"
        assert dom("order", "collected", "web-7-F1", "--reason", " ").exit_code == 1
        done = dom("order", "collected", "web-7-F1", "--reason", "passport", "--by", "kim")
        assert done.stdout == "web-7-F1 is collected, web-7 is delivered\n", done.output
        event = "SELECT actor, reason FROM timeline WHERE kind = 'fulfilment_collected'"
        assert execute(world_url, event) == [("kim", "passport")]

    def test_a_store_has_received_what_a_carrier_brings_it(self, dom: Dom, world_url: str) -> None:
        brought(world_url, "7")
        for _ in range(2):
            done = dom("order", "receive-at-store", "web-7-F1", "--reason", "by the morning van", "--by", "kim")
            assert done.stdout == "web-7-F1 is ready_for_collection, web-7 is shipped\n", done.output
        event = "SELECT actor, reason FROM timeline WHERE kind = 'fulfilment_ready_for_collection'"
        assert execute(world_url, event) == [("kim", "by the morning van")]
        capture(world_url, "8")
        assert dom("order", "receive-at-store", "web-8-F1").exit_code == 1

    def test_it_is_prioritised(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        done = dom("order", "prioritise", "web-7", "5", "--reason", "a gift")
        assert done.stdout == "the priority of web-7 is 5; 1 of its units wait\n", done.output
        assert execute(world_url, "SELECT priority FROM orders") == [(5,)]
        assert dom("order", "prioritise", "web-7").stdout.startswith("the priority of web-7 is that of its channel")
        assert dom("order", "prioritise", "web-7", "1001").exit_code == 2
        assert dom("order", "prioritise", "web-9", "5").exit_code == 1

    def test_a_hold_is_put_on_and_released(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        placed = dom("order", "hold", "web-7", "manual", "--reason", "looks odd", "--by", "kim", "--hours", "2")
        assert placed.stdout == "web-7-H1 blocks hand_over, release\n", placed.output
        assert dom("order", "hold", "web-7", "manual").exit_code == 1
        assert dom("order", "hold", "web-7", "zebra").exit_code == 1
        assert dom("order", "release", "web-7-H1", "--reason", "all is well").stdout == "web-7-H1 is released\n"
        assert dom("order", "release", "web-7-H1").exit_code == 1
        found = "SELECT purpose, placed_by, resolution, released_by, release_at IS NOT NULL FROM order_holds"
        assert execute(world_url, found) == [("looks odd", "kim", "all is well", "ada", True)]

    def test_a_question_is_answered_in_the_customers_name(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7")
        execute(world_url, "UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days' RETURNING id")
        asyncio.run(ask(world_url, "web-7"))
        gone = dom("order", "answer", "web-7-Q1", "swap")
        said = ["dom: answer: swap is not possible; possible are: wait, cancel", "  choices: wait, cancel"]
        assert (gone.exit_code, gone.stderr.splitlines()) == (1, said)
        assert dom("order", "answer", "web-7-Q2", "wait").exit_code == 1
        assert dom("order", "answer", "web-7-Q1", "wait", "--by", "customer:link").exit_code == 2
        done = dom("order", "answer", "web-7-Q1", "cancel", "--reason", "called", "--by", "kim")
        assert (done.exit_code, done.stdout) == (0, "web-7-Q1 is answered: cancel\n")
        assert execute(world_url, "SELECT status, ended_by, reason FROM customer_questions") == [
            ("answered", "kim", "called")
        ]
        assert execute(world_url, "SELECT route, object FROM audit_log") == [("dom order answer", "web-7-Q1")]


async def ask(url: str, order_id: str) -> None:
    """Ask the order's customer about what is late."""
    pool = engine.create(url, 1)
    async with pool.begin() as connection:
        state = await locked(connection, order_id)
        await customer_questions.see_to(Database(pool), connection, state, Slips(), utc_now())
    await pool.dispose()
