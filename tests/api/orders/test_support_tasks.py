"""What support does in a day, with the key of a support person: none of it takes more than three calls."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, booked, order, until
from tests.worlds.access import key_of

MOST = 3
OTHER = "dc-doncaster"
ADDRESS = {"name": "Ada Byrne", "lines": ["2 High Street"], "city": "Leeds", "postal_code": "LS1 5AA", "country": "GB"}
WHY = {"reason": "the customer called"}


@dataclass
class Desk:
    """A support person; counts what he asks."""

    http: httpx.AsyncClient
    headers: dict[str, str]
    calls: list[str] = field(default_factory=list)

    async def get(self, path: str, **params: Any) -> Any:
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._ask("POST", path, json=body)

    async def change(self, order_id: str, *changes: dict[str, Any], revision: int = 0) -> Any:
        return await self.post(f"orders/{order_id}/changes", revision=revision, changes=list(changes), **WHY)

    async def _ask(self, method: str, path: str, **what: Any) -> Any:
        self.calls.append(f"{method} {path}")
        answer = await self.http.request(method, f"/v1/{path}", headers=self.headers, **what)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def desk(channel: Channel, engine: AsyncEngine) -> AsyncIterator[Desk]:
    who = Desk(channel.http, await key_of(engine, Role.SUPPORT, Limits(), name="sue"))
    yield who
    assert 1 <= len(who.calls) <= MOST, who.calls


async def placed(channel: Channel, quantity: int = 2, **changes: Any) -> str:
    """An order whose work no node has begun."""
    return await channel.place(order(await channel.stocked_sku(20), quantity, **changes))


async def test_find_by_mail(channel: Channel, desk: Desk) -> None:
    customer = {"id": "C-mail", "name": "Bo Lind", "email": "bo.lind@mail.example"}
    order_id = await placed(channel, customer=customer)
    assert [each["order_id"] for each in (await desk.get("orders", q="bo.lind@mail.example"))["items"]] == [order_id]


async def test_the_whole_story(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)
    assert (await desk.get(f"orders/{order_id}"))["fulfilments"]
    assert [each["kind"] for each in (await desk.get(f"orders/{order_id}/timeline"))["events"]] == ["accepted"]


async def test_why_from_there(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)
    assert (await desk.get(f"orders/{order_id}/sourcing"))["decisions"][0]["decision"]["reasons"]


async def test_why_late(channel: Channel, desk: Desk) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(0), 1))
    waits = (await desk.get(f"orders/{order_id}"))["waits_for"]
    assert waits


async def test_note(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)
    await desk.post(
        f"orders/{order_id}/notes", text="leave it with the neighbour", links=[{"url": "https://photo.example/1"}]
    )
    assert (await desk.get(f"orders/{order_id}/notes"))["notes"][0]["author"] == "sue"


@pytest.mark.parametrize(
    "change",
    [
        {"change": "set_ship_to", "ship_to": ADDRESS},
        {"change": "set_quantity", "line_id": "1", "quantity": 1},
        {"change": "set_shipping_method", "shipping_method": "express"},
    ],
    ids=["address", "quantity", "shipping method"],
)
async def test_change(channel: Channel, desk: Desk, change: dict[str, Any]) -> None:
    order_id = await placed(channel)
    assert (await desk.change(order_id, change))["revision"] == 1


async def test_add_and_remove_lines(channel: Channel, desk: Desk) -> None:
    order_id, more = await placed(channel), await channel.stocked_sku(5)
    added = {"change": "add_line", "line_id": "2", "sku": more, "quantity": 1, "unit_price": 500}
    await desk.change(order_id, added)
    assert (await desk.change(order_id, {"change": "remove_line", "line_id": "1"}, revision=1))["revision"] == 2


async def test_swap_a_sku(channel: Channel, desk: Desk) -> None:
    order_id, other = await placed(channel), await channel.stocked_sku(5)
    swap = {"change": "swap_sku", "line_id": "1", "new_line_id": "2", "sku": other}
    assert (await desk.change(order_id, swap))["revision"] == 1


async def test_cancel_a_line_of_an_order_that_is_part_shipped(channel: Channel, desk: Desk) -> None:
    near, far = await channel.stocked_sku(5), await channel.stocked_sku(5, OTHER)
    lines = [{"line_id": str(n), "sku": sku, "quantity": 1, "unit_price": 100} for n, sku in enumerate((near, far), 1)]
    order_id = await channel.place(order(near) | {"lines": lines})
    found = await channel.get(order_id)
    work = next(each for each in found["fulfilments"] if each["node_id"] == NODE)
    await channel.step(work["id"], "pack")
    await channel.until_work(work["id"], "booked")
    await channel.step(work["id"], "hand-over")
    await channel.until_order(order_id, "part_shipped")
    answer = await desk.post(f"orders/{order_id}/cancel", lines=[{"line_id": "2"}], **WHY)
    assert answer["cancelled"] == {"2": 1}


async def test_hold_and_release_with_a_reason(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)
    hold = (await desk.post(f"orders/{order_id}/holds", type="address", reason="no street"))["hold"]["hold_id"]
    await desk.post(f"orders/{order_id}/holds/{hold}/release", reason="he sent it")


async def test_move_to_another_warehouse(channel: Channel, desk: Desk) -> None:
    sku = await channel.stocked_sku(5)
    order_id = await channel.place(order(sku))
    await channel.receive(sku, 5, OTHER)
    moved = await desk.post(f"fulfilments/{order_id}-F1/move", node_id=OTHER, **WHY)
    assert [each["node_id"] for each in moved["fulfilments"]] == [OTHER]


async def test_split_a_fulfilment(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel, 3)
    split = await desk.post(f"fulfilments/{order_id}-F1/split", lines=[{"line_id": "1", "quantity": 1}], **WHY)
    assert sorted(each["lines"]["1"] for each in split["fulfilments"]) == [1, 2]


async def test_send_a_mail_once_more(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)

    async def sent() -> Any:
        return all(each["status"] == "sent" for each in (await channel.get(order_id))["messages"])

    await until(sent)
    message = (await desk.get(f"orders/{order_id}"))["messages"][0]["id"]
    assert (await desk.post(f"messages/{message}/resend", **WHY))["resent"] == message


async def test_send_what_a_lost_parcel_held_once_more(channel: Channel, desk: Desk) -> None:
    _, order_id, _ = await booked(channel)
    await channel.step(f"{order_id}-F1", "hand-over")
    await channel.until_work(f"{order_id}-F1", "handed_over")
    await desk.post(f"fulfilments/{order_id}-F1/lost", **WHY)
    again = await channel.until_work(f"{order_id}-F2", "released")
    assert {each["line_id"]: each["quantity"] for each in again["lines"]} == {"1": 3}


async def lost(channel: Channel) -> str:
    """An order whose parcel the carrier lost; a person is to look at it."""
    _, order_id, work = await booked(channel)
    await channel.step(f"{order_id}-F1", "hand-over")
    await channel.scan(work, "lost")
    return order_id


async def test_all_late_or_stuck_orders_with_their_owners(channel: Channel, desk: Desk) -> None:
    order_id = await lost(channel)
    found = await desk.get("orders", stuck=True, limit=200)
    assert order_id in {each["order_id"] for each in found["items"]}
    await desk.get("orders", late=True, limit=200)
    queue = (await desk.get("exceptions", limit=200))["items"]
    assert {each["owner_role"] for each in queue if each["order_id"] == order_id} == {"support"}


async def test_close_an_exception(channel: Channel, desk: Desk) -> None:
    (found,) = (await desk.get("exceptions", order=await lost(channel)))["items"]
    closed = await desk.post(
        f"exceptions/{found['id']}/resolve", version=found["version"], resolution="the carrier pays"
    )
    assert closed["status"] == "closed"


async def test_cancel_twenty_orders_of_a_recalled_sku(channel: Channel, desk: Desk) -> None:
    sku = await channel.stocked_sku(50)
    for _ in range(20):
        await channel.place(order(sku, 1))
    body: dict[str, Any] = {"action": {"kind": "cancel"}, "selection": {"filter": {"sku": sku}}, "reason": "a recall"}
    assert (await desk.post("bulk-preview", **body))["orders"] == 20
    run = await desk.post("bulk", **body, expected=20)

    async def done() -> Any:
        return (await channel.http.get(run["links"]["self"])).json()["status"] == "done"

    await until(done)
    assert (await desk.get(f"bulk/{run['id']}"))["outcomes"] == {"done": 20}


async def test_what_was_promised_and_what_is_it_now(channel: Channel, desk: Desk) -> None:
    order_id = await placed(channel)
    now = (await desk.get(f"orders/{order_id}"))["promise"]
    accepted = (await desk.get(f"orders/{order_id}/timeline"))["events"][0]["data"]
    assert now["latest"]
    assert accepted["fulfilments"]
