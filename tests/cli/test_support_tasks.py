"""What support does in a day, at the command line: none of it takes more than three commands."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dom.orders.order import Order
from tests.cli.conftest import Dom
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended, ship
from tests.worlds.waiting import until, until_status

MOST = 3
ADDRESS = {"name": "Ada", "lines": ["2 High Street"], "city": "Leeds", "postal_code": "LS1 5AA", "country": "GB"}


@dataclass
class Shell:
    """A person's terminal; counts the commands."""

    dom: Dom
    commands: list[str] = field(default_factory=list)

    async def __call__(self, *words: str) -> str:
        """What the command prints. AssertionError if it fails."""
        self.commands.append(" ".join(words))
        answer = await asyncio.to_thread(self.dom, *words)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    async def json(self, *words: str) -> Any:
        return json.loads(await self(*words, "--json"))


@pytest.fixture
async def shell(at_work: Dom) -> AsyncIterator[Shell]:
    opened = Shell(at_work)
    yield opened
    assert 1 <= len(opened.commands) <= MOST, opened.commands


async def placed(house: House, number: str, /, **lines: Any) -> Order:
    order = small.order(f"task-{number}", **(lines or {"A": 2}))
    await house.send(order)
    return order


async def test_find_by_mail(house: House, shell: Shell) -> None:
    order = await placed(house, "mail")
    assert order.order_id in await shell("orders", "search", "ada@customer.example")


async def test_the_whole_story(house: House, shell: Shell) -> None:
    order = await placed(house, "story")
    story = await shell("order", order.order_id)
    for part in ("accepted", f"{order.order_id}-F1", "dc-leeds"):
        assert part in story


async def test_why_from_there(house: House, shell: Shell) -> None:
    order = await placed(house, "why")
    assert "dc-leeds" in await shell("ofl", "explain", order.order_id)


async def test_why_late_what_was_promised_and_what_is_it_now(house: House, shell: Shell) -> None:
    order = await placed(house, "late", NEVER=1)
    story = await shell("order", order.order_id)
    assert "backordered" in story
    assert "promise" in story


async def test_note(house: House, shell: Shell) -> None:
    order = await placed(house, "note")
    await shell("order", "note", order.order_id, "leave it with the neighbour")
    assert "leave it with the neighbour" in await shell("order", order.order_id)


@pytest.mark.parametrize(
    ("number", "change", "shown"),
    [
        ("quantity", ("--quantity", "1=1"), "goods 10.00 GBP (-10.00 GBP)"),
        ("add", ("--add", "B=3@500"), "goods 35.00 GBP (15.00 GBP)"),
        ("remove", ("--add", "B=1@500", "--remove", "1"), "goods 5.00 GBP (-15.00 GBP)"),
        ("swap", ("--swap", "1=B"), "goods 20.00 GBP (0.00 GBP)"),
        ("method", ("--method", "express"), "revision 1"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_change(house: House, shell: Shell, number: str, change: tuple[str, ...], shown: str) -> None:
    order = await placed(house, f"change-{number}")
    would = await shell("order", "change", order.order_id, *change, "--preview")
    assert shown in would
    assert "would be" in would
    assert shown in await shell("order", "change", order.order_id, *change, "--revision", "0", "--reason", "he called")
    asked = "SELECT actor, reason FROM timeline WHERE kind = 'edited'"
    assert await one(house.engine, asked.replace("actor, reason", "actor || ': ' || reason")) == "ada: he called"
    logged = "SELECT principal, route, object, reason FROM audit_log"
    assert await rows(house.engine, logged) == [("ada", "dom order change", order.order_id, "he called")]


async def test_an_edit_is_not_made_without_its_entry_in_the_audit_log(
    house: House, at_work: Dom, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await placed(house, "unlogged")

    async def fails(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("store.access.audit.write", fails)
    answer = await asyncio.to_thread(at_work, "order", "change", order.order_id, "--quantity", "1=1")
    assert isinstance(answer.exception, RuntimeError)
    assert await one(house.engine, "SELECT revision FROM orders") == 0


async def test_address(house: House, shell: Shell, tmp_path: Path) -> None:
    order, file = await placed(house, "address"), tmp_path / "address.json"
    file.write_text(json.dumps(ADDRESS))
    assert "revision 1" in await shell("order", "change", order.order_id, "--ship-to", str(file))
    assert "Leeds LS1 5AA" in await shell("order", order.order_id)


async def test_cancel_a_line_of_an_order_that_is_part_shipped(house: House, shell: Shell) -> None:
    order = await placed(house, "part", A=1, NEVER=1)
    await ship(house, order)
    await until_status(house.engine, f"{order.order_id}-F1", "handed_over")
    assert ": shipped" in await shell("order", "cancel", order.order_id, "2", "--reason", "he called")


async def test_hold_and_release_with_a_reason(house: House, shell: Shell) -> None:
    order = await placed(house, "hold")
    await shell("order", "hold", order.order_id, "address", "--reason", "no street")
    await shell("order", "release", f"{order.order_id}-H1", "--reason", "he sent it")


async def test_move_to_another_warehouse(house: House, shell: Shell) -> None:
    order = await placed(house, "move")
    assert "wh-london" in await shell("order", "move", f"{order.order_id}-F1", "--to", "wh-london")


async def test_source_a_fulfilment_again(house: House, shell: Shell) -> None:
    order = await placed(house, "again")
    asked = ("order", "source-again", f"{order.order_id}-F1", "--reason", "a closer store has some now")
    assert f"{order.order_id}-F2 at dc-leeds" in await shell(*asked)
    without = ("order", "source-again", f"{order.order_id}-F2", "--without-node", "--reason", "the conveyor is down")
    assert f"{order.order_id}-F3 at wh-london" in await shell(*without)
    await deliver(house, order, 3)
    await ended(house, order)


async def test_split_a_fulfilment(house: House, shell: Shell) -> None:
    order = await placed(house, "split")
    assert f"{order.order_id}-F2" in await shell("order", "split", f"{order.order_id}-F1", "1=1")


async def test_send_a_mail_once_more(house: House, shell: Shell) -> None:
    await placed(house, "resend")
    await house.told()
    message = await one(house.engine, "SELECT id FROM outbox WHERE medium = 'mail'")
    assert "goes out once more" in await shell("order", "resend", str(message))


async def test_reship_a_lost_parcel(house: House, shell: Shell) -> None:
    order = await placed(house, "lost")
    await ship(house, order)
    await until_status(house.engine, f"{order.order_id}-F1", "handed_over")
    assert "is lost" in await shell("order", "lost", f"{order.order_id}-F1", "--reason", "nothing came")
    await until_status(house.engine, f"{order.order_id}-F2", "released")
    await deliver(house, order, 2)
    await ended(house, order)


async def test_all_late_or_stuck_orders_with_their_owners_and_close_an_exception(house: House, shell: Shell) -> None:
    order = await placed(house, "stuck")
    await ship(house, order)
    await house.carrier_says(order, "lost")
    await until_status(house.engine, f"{order.order_id}-F1", "lost")
    assert order.order_id in await shell("orders", "search", "--stuck")
    (found,) = await shell.json("exceptions", "list", "--order", order.order_id)
    assert found["owner_role"]
    seen = ("--seen", str(found["version"]))
    assert "is closed" in await shell("exceptions", "resolve", str(found["id"]), "he waits", *seen)


async def test_cancel_twenty_orders_of_a_recalled_sku(house: House, shell: Shell) -> None:
    for number in range(20):
        await placed(house, f"recall-{number}", B=1)
    asked = ("bulk", "start", "cancel", "--sku", "B", "--reason", "a recall")
    assert "20 orders; say --yes to do it" in await shell(*asked)
    await shell(*asked, "--yes")

    async def cancelled() -> bool:
        return bool(await one(house.engine, "SELECT bool_and(status = 'cancelled') FROM orders"))

    await until("all are cancelled", cancelled)


async def test_nothing_is_changed_by_what_cannot_be_read(at_work: Dom, house: House) -> None:
    order = await placed(house, "unread")
    for wrong in (("--quantity", "1"), ("--add", "B=1"), ("--quantity", "1=none"), ("--method", "rocket"), ()):
        answer = await asyncio.to_thread(at_work, "order", "change", order.order_id, *wrong)
        assert answer.exit_code == 2, (wrong, answer.output)
    refused = await asyncio.to_thread(
        at_work, "order", "change", order.order_id, "--quantity", "1=1", "--revision", "9"
    )
    assert (refused.exit_code, refused.stderr.splitlines()[1:]) == (1, ["  revision: 0"])
    assert await one(house.engine, "SELECT count(*) FROM audit_log") == 0
    assert await one(house.engine, "SELECT revision FROM orders") == 0
