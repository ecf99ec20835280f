"""Orders without a process are found by `dom orders`, `dom doctor` and `dom stock reconcile`, and revived."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.ports import free_port
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared import ids
from processes.consistency import Living
from store.orders import processes
from tests.cli.conftest import Dom
from tests.worlds import small
from tests.worlds.advancing import comes_to
from tests.worlds.books import rows
from tests.worlds.living import lost_by_the_store
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended, pack, ship, until_event
from tests.worlds.waiting import until, until_booked
from workflows.messages import EDITION, OrderInput
from workflows.order.process import OrderWorkflow


async def test_what_is_wrong_is_found_everywhere_and_revived_by_one_command(house: House, at_work: Dom) -> None:
    lost, well = small.order("lost-process", A=2), small.order("well", A=1)
    for order in (lost, well):
        await house.send(order)
    await pack(house, lost)
    await house.handle(lost).terminate("by hand")

    checked = await asyncio.to_thread(at_work, "orders", "check")
    assert checked.exit_code == 1, checked.output
    assert "web-lost-process" in checked.output
    assert "1 have no process, 0 processes do not agree" in checked.output
    found = json.loads((await asyncio.to_thread(at_work, "orders", "check", "--json", "--thoroughly")).stdout)
    assert (found["counts"], [each["about"] for each in found["faults"]]) == ({"no_process": 1}, ["web-lost-process"])
    examined = await asyncio.to_thread(at_work, "doctor")
    assert examined.exit_code == 1
    assert "dom orders revive" in " ".join(examined.output.replace("│", " ").split())
    reconciled = await asyncio.to_thread(at_work, "stock", "reconcile")
    assert reconciled.exit_code == 1
    assert "web-lost-process" in reconciled.output
    books = json.loads((await asyncio.to_thread(at_work, "stock", "reconcile", "--json")).stdout)
    assert (books["remaining"], books["processes"]["counts"]) == (0, {"no_process": 1})

    revived = await asyncio.to_thread(at_work, "orders", "revive", "--all", "--by", "kim")
    assert revived.exit_code == 0, revived.output
    assert "1 revived" in revived.output
    await until_event(house, lost, "process_revived")
    again = await asyncio.to_thread(at_work, "orders", "revive", "web-lost-process")
    assert again.exit_code == 1
    assert "nothing to revive: it has a process that agrees" in " ".join(again.output.split())
    unknown = await asyncio.to_thread(at_work, "orders", "revive", "web-nobody")
    assert "no order or return has this id" in " ".join(unknown.output.split())
    await house.node(lost, "hand-over")
    await house.carrier_says(lost, "delivered")
    assert (await ended(house, lost, reserved=1)).status is OrderStatus.DELIVERED
    over = await asyncio.to_thread(at_work, "orders", "revive", "web-lost-process")
    assert "it is delivered, and over" in " ".join(over.output.split())
    await deliver(house, well)
    await ended(house, well)
    assert (await asyncio.to_thread(at_work, "orders", "check", "--thoroughly")).exit_code == 0
    assert (await asyncio.to_thread(at_work, "stock", "reconcile")).exit_code == 0


async def test_what_has_ended_and_is_not_in_the_store_is_captured_anew_by_name_only(house: House, at_work: Dom) -> None:
    order = small.order("ended-unknown", A=1)
    await house.send(order)
    await deliver(house, order)
    await ended(house, order)
    await lost_by_the_store(house)

    async def found() -> bool:
        return (await asyncio.to_thread(at_work, "orders", "check")).exit_code == 1

    await until("it is found", found)
    checked = await asyncio.to_thread(at_work, "orders", "check")
    assert "1 have ended and are not in the store" in checked.output.replace("\n", " ")
    left = await asyncio.to_thread(at_work, "orders", "revive", "--all")
    assert (left.exit_code, "web-ended-unknown: left: it had ended" in left.output) == (1, True), left.output
    assert "0 revived" in left.output
    named = await asyncio.to_thread(at_work, "orders", "revive", "web-ended-unknown")
    assert named.exit_code == 0, named.output
    await until_event(house, order, "accepted")
    await deliver(house, order)
    await ended(house, order)
    assert (await asyncio.to_thread(at_work, "orders", "check")).exit_code == 0


async def test_processes_that_give_no_answer_are_no_success(house: House, at_work: Dom) -> None:
    """Nobody works the task queue: whether they agree is not known."""
    order = small.order("nobody-works", A=1)
    await house.client.start_workflow(
        OrderWorkflow.run,
        OrderInput(order=order, edition=EDITION),
        id=ids.order_workflow_id(order.order_id),
        task_queue=f"{house.task_queue}-idle",
    )

    async def said() -> bool:
        checked = await asyncio.to_thread(at_work, "orders", "check", queue=f"{house.task_queue}-idle")
        return checked.exit_code == 2 and "1 processes gave no answer" in checked.output

    await until("it is said", said)
    await house.handle(order).terminate()


async def test_what_only_a_thorough_look_finds_is_found_and_revived_by_one(house: House, at_work: Dom) -> None:
    order = small.order("behind-process", A=1)
    await house.send(order)
    await house.node(order, "accept")
    await until_event(house, order, "fulfilment_accepted")

    async def is_listed_as_it_stands() -> bool:
        found = await Living(house.engine, house.client, house.task_queue).compare()
        return (found.running, found.asked) == (1, 0)

    await until("its process is listed with the order's status", is_listed_as_it_stands)
    # As after a restore of the engine: the notice went to a process that has forgotten it.
    await comes_to(house.engine, f"{order.order_id}-F1", FulfilmentStatus.PICKED, FulfilmentStatus.PACKED)
    assert (await asyncio.to_thread(at_work, "orders", "check")).exit_code == 0
    assert "0 revived" in (await asyncio.to_thread(at_work, "orders", "revive", "--all")).output
    checked = await asyncio.to_thread(at_work, "orders", "check", "--thoroughly")
    assert checked.exit_code == 1
    assert "0 have no process, 1 processes do not agree" in checked.output
    revived = await asyncio.to_thread(at_work, "orders", "revive", "--all", "--thoroughly")
    assert "web-behind-process: goes on where the store stands\n1 revived" in revived.output
    await until_event(house, order, "process_revived")
    await until_booked(house.engine, order)
    await house.node(order, "hand-over")
    await house.carrier_says(order, "delivered")
    assert (await ended(house, order)).status is OrderStatus.DELIVERED


async def test_without_temporal_the_books_say_what_was_not_compared(world_url: str, tmp_path: Path) -> None:
    settings = {"DOM_DATABASE_URL": world_url, "DOM_DATA_DIR": str(tmp_path / "var"), "USER": "ada"}
    answer = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["stock", "reconcile"], env=settings))
    assert answer.exit_code == 0
    assert "not compared with their processes: no Temporal server is configured" in answer.output
    refused = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["orders", "check"], env=settings))
    assert refused.exit_code == 2
    assert "Traceback" not in refused.output


async def test_a_temporal_that_does_not_answer_is_no_success(world_url: str, tmp_path: Path) -> None:
    settings = {
        "DOM_DATABASE_URL": world_url,
        "DOM_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "DOM_DATA_DIR": str(tmp_path / "var"),
        "USER": "ada",
    }
    for command in (["stock", "reconcile"], ["orders", "check"]):
        answer = await asyncio.to_thread(CliRunner().invoke, app, command, env=settings)
        assert answer.exit_code == 2, answer.output
        assert "Temporal" in answer.output
        assert "Connection refused" in " ".join(answer.output.split())
        assert "Traceback" not in answer.output
    as_json = await asyncio.to_thread(CliRunner().invoke, app, ["stock", "reconcile", "--json"], env=settings)
    books = json.loads(as_json.stdout)
    assert (as_json.exit_code, books["remaining"], books["processes"]) == (2, 0, None)
    assert "Connection refused" in books["not_compared"]


async def test_an_exception_about_a_process_is_acted_on_in_one_command(house: House, at_work: Dom) -> None:
    order = small.order("acted-on", A=1)
    await house.send(order)
    await house.handle(order).terminate("by hand")
    async with house.engine.begin() as connection:
        await processes.gone(connection, order.order_id)
    ((number, version),) = await rows(house.engine, "SELECT id, version FROM exceptions")
    done = await asyncio.to_thread(at_work, "exceptions", "do", f"{number}", "revive", "--seen", f"{version}")
    assert done.exit_code == 0, done.output

    async def closed() -> bool:
        return await rows(house.engine, "SELECT status FROM exceptions") == [("closed",)]

    await until("the process runs, and the exception is closed", closed)
    logged = await rows(house.engine, "SELECT route, principal, reason FROM audit_log")
    assert logged == [("dom exceptions do", "ada", "revive")]
    refused = await asyncio.to_thread(at_work, "exceptions", "do", f"{number}", "book_in", "--seen", f"{version}")
    assert (refused.exit_code, refused.stderr) == (1, f"dom: there is no action book_in for exception {number}\n")
    await deliver(house, order)
    await ended(house, order)


async def test_an_order_is_cancelled_and_every_unit_accounted_for(house: House, at_work: Dom) -> None:
    order = small.order("cancelled", A=2, NEVER=1)
    await house.send(order)
    await pack(house, order)
    first = ("order", "cancel", order.order_id, "1=2", "2", "--mode", "ask", "--reason", "too many")
    asked = await asyncio.to_thread(at_work, *first, "--key", "k", "--json")
    assert asked.exit_code == 0, asked.output
    said = json.loads(asked.stdout)
    assert (said["status"], said["cancelled"]) == ("in_fulfilment", {"2": 1})
    (left,) = said["lines"][0]["left"]
    assert (left["quantity"], left["reason"], left["request_id"]) == (2, "asked", f"{order.order_id}-C1")
    again = await asyncio.to_thread(at_work, *first, "--key", "k", "--json")
    assert json.loads(again.stdout) == said
    other = await asyncio.to_thread(at_work, "order", "cancel", order.order_id, "--key", "k")
    assert (other.exit_code, other.stdout) == (1, "")
    assert other.stderr.startswith("dom: Idempotency-Key")
    shown = await asyncio.to_thread(at_work, *first)
    assert shown.exit_code == 1, "the units of line 1 are asked for, and line 2 has none left"
    assert "nothing of what is asked can be cancelled" in shown.stderr
    done = await asyncio.to_thread(at_work, "order", "cancel", order.order_id, "--mode", "possible")
    assert done.exit_code == 0, done.output
    assert f"{order.order_id}: cancelled" in done.stdout
    await ended(house, order)
    logged = await rows(house.engine, "SELECT principal, object, reason FROM audit_log ORDER BY id")
    assert logged == [("ada", order.order_id, "too many")] * 2 + [("ada", order.order_id, "")]


@pytest.mark.parametrize("line", ["1=none", "=2", "1=0"])
async def test_what_is_no_line_is_said_at_once(at_work: Dom, line: str) -> None:
    assert at_work("order", "cancel", "web-1", line).exit_code == 2


async def test_a_parcel_that_came_back_is_sent_once_more_though_the_order_was_over(house: House, at_work: Dom) -> None:
    order = small.order("back-by-command", A=2)
    await house.send(order)
    await ship(house, order)
    await house.carrier_says(order, "returned_to_sender")
    assert (await ended(house, order)).status is OrderStatus.CANCELLED
    again = await asyncio.to_thread(at_work, "order", "reship", f"{order.order_id}-F1", "--reason", "the right address")
    assert again.exit_code == 0, again.output
    await deliver(house, order, 2)
    assert (await ended(house, order)).status is OrderStatus.DELIVERED
    told = "SELECT actor, reason FROM timeline WHERE kind = 'reshipped'"
    assert await rows(house.engine, told) == [("ada", "the right address")]
    assert await rows(house.engine, "SELECT route FROM audit_log") == [("dom order reship",)]


async def test_an_order_is_cancelled_in_part_and_whole(house: House, at_work: Dom) -> None:
    order = small.order("called-off", A=3)
    await house.send(order)
    refused = await asyncio.to_thread(at_work, "order", "cancel", "web-called-off", "1=9")
    assert (refused.exit_code, "cancellable:\n    1 3\n" in refused.stderr) == (1, True), refused.stderr
    part = await asyncio.to_thread(at_work, "order", "cancel", "web-called-off", "1=1", "--reason", "too many")
    assert "web-called-off: accepted" in part.stdout, part.output
    whole = await asyncio.to_thread(at_work, "order", "cancel", "web-called-off")
    assert "web-called-off: cancelled" in whole.stdout, whole.output
    await ended(house, order)
    gone = await asyncio.to_thread(at_work, "order", "cancel", "web-called-off")
    assert gone.exit_code == 1
    told = "SELECT actor, reason FROM timeline WHERE kind = 'cancelled' ORDER BY id"
    assert await rows(house.engine, told) == [("ada", "too many"), ("ada", "")]
