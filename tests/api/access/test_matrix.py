"""Every cell of docs/access.md, asked of the running API: each route by each role, for its own and for another's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.openapi import generate
from dom.channels.corrections import FieldCorrection
from dom.exceptions import ExceptionKind
from dom.shared.access import Limits, Role
from dom.sourcing.policy.answers import Slips
from services import channel_rules, customer_questions
from services.change_orders import locked
from services.channel_rules import RuleAsked
from services.clock import utc_now
from services.database import Database
from store import exceptions
from store.access.credentials import SIGNING_SECRETS
from store.inbox import corrections
from store.tables.orders import fulfilments
from tests.api.driving import Channel, new_number, order
from tests.worlds.access import key_of
from tools.access_matrix import DIMENSIONS, HIDDEN, LEFT_OUT, NAMED, OPEN, PAGE, RULES, Row, matrix, page

DOCUMENT = generate()["paths"]
CHANNEL, NODE = "matrix", "dc-matrix"
OTHER = {"channel": "edi", "node": "dc-daventry", "carrier": "nobody"}
ROWS = matrix()
IDS = [f"{row.method} {row.path}" for row in ROWS]
STREAM = "streamAvailabilityChanges"


@dataclass
class World:
    """An order of a channel, from a node, with a carrier, and everything around it."""

    http: httpx.AsyncClient
    engine: AsyncEngine
    names: dict[str, str]
    bodies: dict[str, Any]
    keys: dict[tuple[Role, str | None], dict[str, str]]

    async def key(self, role: Role, foreign: str | None) -> dict[str, str]:
        """A key of the role, limited to what is its own but for one thing that is another's."""
        if (role, foreign) not in self.keys:
            own = {"channel": CHANNEL, "node": NODE, "carrier": self.names["carrier"]}
            named = DIMENSIONS[role] if foreign is None else (foreign,)
            limits = {f"{each}s": [OTHER[each] if each == foreign else own[each]] for each in named}
            if foreign is None and len(named) > 1:
                limits = {}
            made = await key_of(self.engine, role, Limits.of(**limits), name=f"{role} {foreign or 'own'}")
            self.keys[role, foreign] = made
        return self.keys[role, foreign]

    def own_of(self, dimension: str) -> tuple[str, ...]:
        """What an answer to somebody of another channel, node or carrier cannot name."""
        return {
            "channel": (f'"{CHANNEL}"', self.names["order_id"], self.names["return_id"], self.names["reservation_id"]),
            "node": (f'"{NODE}"', self.names["fulfilment_id"]),
            "carrier": (f'"{self.names["carrier"]}"', self.names["order_id"]),
        }[dimension]

    async def ask(self, row: Row, headers: dict[str, str]) -> httpx.Response:
        """Call the route for what is there."""
        path = row.path
        for name, value in self.names.items():
            path = path.replace(f"{{{name}}}", value)
        operation = DOCUMENT[row.path.replace(":path", "")][row.method.lower()]
        given: dict[str, Any] = {"params": self.query(row)}
        content = operation.get("requestBody", {}).get("content", {})
        if row.operation in self.bodies:
            given["json"] = self.bodies[row.operation]
        elif "application/json" in content:
            examples = content["application/json"]["examples"]
            given["json"] = self.own(next(iter(examples.values()))["value"])
        elif content:
            given |= {"content": b"node_id,sku,quantity\n", "headers": {"Content-Type": "application/octet-stream"}}
        given["headers"] = given.get("headers", {}) | headers
        return await self.http.request(row.method, path, **given)

    def own(self, value: Any) -> Any:
        """An example with what is there in place of what it names."""
        if isinstance(value, list):
            return [self.own(each) for each in value]
        if not isinstance(value, dict):
            return value
        names = {"channel": CHANNEL, "node_id": NODE, "order_id": self.names["order_id"], "origin_node": "dc-doncaster"}
        return {
            name: names.get(name, self.own(each)) if isinstance(each, str | dict | list) else each
            for name, each in value.items()
        }

    def query(self, row: Row) -> dict[str, str]:
        """What the route cannot be asked without."""
        of_channel = {"getAvailability", "listAvailabilityChanges", STREAM}
        wanted = {"channel": CHANNEL} if row.operation in of_channel else {}
        if row.operation in {"getAvailability", "listStockValues"}:
            wanted["sku"] = self.names["sku_id"]
        if row.operation == "importInventory":
            wanted |= {"kind": "counts", "source": "shelf"}
        if row.operation == "diffPolicies":
            wanted |= {"from": "live", "to": "live"}
        if row.operation == STREAM:  # it would never end: what is wrong with it is said at once
            wanted["cursor"] = "nonsense"
        return wanted


@pytest.fixture(scope="module")
async def world(channel: Channel, engine: AsyncEngine, app: FastAPI) -> World:
    http = channel.http
    node = (await http.get("/v1/nodes/dc-daventry")).json() | {"id": NODE, "priority": 1}
    assert (await http.put(f"/v1/nodes/{NODE}", json=node)).status_code in {200, 201}
    registered = {"id": CHANNEL, "name": "Matrix"}
    assert (await http.put(f"/v1/channels/{CHANNEL}", json=registered)).status_code in {200, 201}
    sku = await channel.stocked_sku(50, NODE)
    placed = await channel.place(order(sku, 2, channel=CHANNEL))
    work = (await http.get("/v1/fulfilments", params={"order": placed})).json()["items"][0]
    assert work["node_id"] == NODE
    await channel.step(work["id"], "pack")
    booked = await channel.until_work(work["id"], "booked")
    asked = await http.post(
        f"/v1/orders/{placed}/cancel", json={"mode": "ask", "lines": [{"line_id": "1", "quantity": 1}]}
    )
    request_id = asked.json()["lines"][0]["left"][0]["request_id"]
    async with engine.begin() as connection:
        later = fulfilments.c.promise_latest + timedelta(days=9)
        await connection.execute(update(fulfilments).where(fulfilments.c.id == work["id"]).values(promise_latest=later))
        state = await locked(connection, placed)
        await customer_questions.see_to(Database(engine), connection, state, Slips(), utc_now())
    await channel.step(work["id"], "hand-over")
    await channel.until_work(work["id"], "handed_over")
    await channel.scan(booked, "delivered")
    await channel.until_order(placed, "delivered")
    lines = [{"line_id": "1", "quantity": 1}]
    returned = (await http.post("/v1/returns", json={"order_id": placed, "lines": lines})).json()["return_id"]
    basket = {"channel": CHANNEL, "owner": "cart", "seconds": 600, "lines": [{"sku": sku, "quantity": 1}]}
    held = await http.post("/v1/reservations", json={**basket, "ship_to": {"country": "GB", "postal_code": "LS1 4AP"}})
    inbound = new_number()
    coming = {"kind": "purchase_order", "node_id": NODE, "due_on": "2036-03-02", "lines": [{"sku": sku, "quantity": 1}]}
    assert (await http.put(f"/v1/inbound/{inbound}", json=coming)).status_code == 201
    sent = await http.post(
        "/v1/inventory/imports",
        params={"kind": "counts", "source": "shelf"},
        content=f"node_id,sku,quantity\n{NODE},nothing,1\n",
        headers=await key_of(engine, Role.NODE, Limits.of(nodes=[NODE])),
    )
    key = (await key_of(engine, Role.OPERATOR, Limits(), name="the matrix's own"))["X-API-Key"]
    async with engine.begin() as connection:
        secret = {"id": "matrix", "carrier": "matrix-carrier", "secret": f"whsec_{'A' * 44}", "created_by": "tests"}
        await SIGNING_SECRETS.insert(connection, secret)
    async with engine.begin() as connection:
        await exceptions.open_(connection, placed, ExceptionKind.BACKORDER, "matrix", "of the matrix")
    excepted = (await http.get("/v1/exceptions", params={"order": placed})).json()["items"][0]["id"]
    told = await http.post(f"/v1/channels/{CHANNEL}/messages", json={"of": "the matrix"})
    connected = {"platform": "webhook"}
    assert (await http.put(f"/v1/channels/{CHANNEL}/connection", json=connected)).status_code in {200, 201}
    holds = (await http.get("/v1/holds/policy")).json()["policy"]
    holds["types"]["manual"]["released_by"] = list(Role)
    assert (await http.put("/v1/holds/policy", json=holds)).status_code == 200
    held_back = await http.post(f"/v1/orders/{placed}/holds", json={"type": "manual", "blocks": ["refund"]})
    many = {"action": {"kind": "cancel"}, "selection": {"orders": ["web-nowhere"]}, "reason": "of the matrix"}
    run = (await http.post("/v1/bulk", json=many)).json()["id"]
    names = {
        "bulk_id": run,
        "inbox_id": str(told.json()["id"]),
        "message_id": str((await http.get("/v1/messages", params={"order": placed})).json()["items"][0]["id"]),
        "hold_id": held_back.json()["hold"]["hold_id"],
        "exception_id": str(excepted), "action": "source_again", "watch": "example-watch",
        "order_id": placed, "fulfilment_id": work["id"], "return_id": returned, "sku_id": sku, "node_id": NODE,
        "reservation_id": held.json()["reservation_id"], "reference": inbound, "channel_id": CHANNEL,
        "carrier": booked["carrier"], "version": "999999", "name": "nobodys", "import_id": sent.json()["id"],
        "request_id": request_id, "feed": "orders", "question_id": f"{placed}-Q1",
        **await _corrections(engine, told.json()["id"]),
        "rehearsal_id": "nothing", "key_id": key.split("_")[1], "secret_id": "matrix",
    }  # fmt: skip
    bodies = {
        "captureOrder": order(sku, 1, channel=CHANNEL),
        "putNode": node,
        "putChannel": registered,
        "putChannelRules": {"rules": []},
        "putConnection": connected,
        **{each: {} for each in ("pauseConnection", "readFeed")},
        "putHoldPolicy": holds,
        "placeHold": {"type": "manual"},
        "putSku": (await http.get(f"/v1/skus/{sku}")).json(),
        "publishPolicy": {},
        **{each: {} for each in ("publishMapping", "lintMapping", "previewMapping", "sendChannelMessage")},
        "putDraft": {},
        "startRehearsal": {"which": "draft:nobodys"},
        "startShadow": {},
        "announceInbound": coming,
        "createSigningSecret": {"carrier": "nobody"},
        "queryAvailability": {"skus": [sku], "channel": CHANNEL},
    }
    return World(http, engine, names, bodies, {})


async def _corrections(engine: AsyncEngine, message_id: int) -> dict[str, str]:
    """A proposal of a message, and a rule of its channel."""
    proposed = FieldCorrection(field="total", before="x", after=1, rule="number-mark", confidence=900)
    async with engine.begin() as connection:
        await corrections.record(connection, message_id, CHANNEL, (), (proposed,), utc_now())
        (found,) = await corrections.of_messages(connection, [message_id])
        asked = RuleAsked("lines[*].sku", "of the matrix", "85123A", has_after=True)
        rule = await channel_rules.make(connection, CHANNEL, asked, "tests")
    return {"correction_id": str(found["id"]), "rule_id": str(rule["id"])}


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "python -m tools.access_matrix writes it anew"


def test_every_rule_is_of_a_route() -> None:
    assert set(RULES) <= {row.operation for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=IDS)
class TestCells:
    async def test_a_role_without_the_scope_is_told_which(self, world: World, row: Row) -> None:
        for role in (role for role in Role if not row.allows(role)):
            for foreign in (None, *DIMENSIONS[role]):
                answer = await world.ask(row, await world.key(role, foreign))
                assert answer.status_code == 403, (role, answer.text)
                assert answer.json()["data"] == {"scope": row.scope}, (role, answer.text)

    async def test_a_role_with_the_scope_calls_it_for_its_own(self, world: World, row: Row) -> None:
        for role in (role for role in Role if row.allows(role)):
            answer = await world.ask(row, await world.key(role, None))
            forbidden = {401, 403, *((404,) if HIDDEN in DIMENSIONS_OF[row.operation] else ())}
            if row.operation == "getFulfilmentLabel":
                assert answer.status_code == 200, (role, answer.text)
            assert answer.status_code not in forbidden, (role, answer.text)
            assert answer.status_code < 500, (role, answer.text)

    async def test_what_is_anothers(self, world: World, row: Row) -> None:
        for role in (role for role in Role if row.allows(role)):
            for foreign in DIMENSIONS[role]:
                answer = await world.ask(row, await world.key(role, foreign))
                rule = getattr(row.foreign, foreign)
                said = (role, foreign, answer.text)
                if rule == NAMED:
                    assert answer.status_code == 403, said
                    assert "scope" not in (answer.json().get("data") or {}), said
                elif rule == HIDDEN:
                    assert answer.status_code == 404, said
                elif rule == LEFT_OUT:
                    assert answer.status_code == 200, said
                    ours = (
                        world.names["order_id"],
                        f'"{NODE}"',
                        f'"{CHANNEL}"',
                        world.names["key_id"],
                        '"matrix-carrier"',
                    )
                    assert not [each for each in ours if each in answer.text], said
                else:
                    assert rule == OPEN
                    assert answer.status_code not in {401, 403}, said
                    assert not [each for each in world.own_of(foreign) if each in answer.text], said


DIMENSIONS_OF = {row.operation: (row.foreign.channel, row.foreign.node, row.foreign.carrier) for row in ROWS}


@pytest.mark.parametrize("operation", [name for name, rule in RULES.items() if HIDDEN in (rule.channel, rule.node)])
async def test_anothers_is_answered_in_the_words_of_what_never_was(world: World, operation: str) -> None:
    """Else whoever asks learns that it is there."""
    (row,) = (row for row in ROWS if row.operation == operation)
    dimension = "channel" if row.foreign.channel == HIDDEN else "node"
    headers = await world.key(Role.OPERATOR, dimension)
    there = await world.ask(row, headers)
    never = World(world.http, world.engine, {**world.names}, world.bodies, world.keys)
    kinds = (
        "order_id",
        "fulfilment_id",
        "return_id",
        "reservation_id",
        "reference",
        "import_id",
        "bulk_id",
        "request_id",
        "question_id",
    )
    for name in kinds:
        never.names[name] = (
            world.names[name].replace(world.names[name][-3:], "888" if name == "question_id" else "777")
            if name != "fulfilment_id"
            else "matrix-x-F9"
        )
    never.names |= dict.fromkeys(("exception_id", "message_id", "inbox_id"), "777777777")
    gone = await never.ask(row, await never.key(Role.OPERATOR, None))
    assert gone.status_code == there.status_code == 404

    def words(answer: httpx.Response, names: dict[str, str]) -> str:
        text = json.dumps({name: value for name, value in answer.json().items() if name != "request_id"})
        for kind, name in (("exception", "exception_id"), ("message", "message_id"), ("message", "inbox_id")):
            text = text.replace(f"{kind} {names[name]}", f"<{kind}>")
        for name in sorted(kinds, key=lambda kind: len(names[kind]), reverse=True):  # one id may begin with another
            text = text.replace(names[name], f"<{name}>")
        return text

    assert words(there, world.names) == words(gone, never.names)


async def test_a_stolen_key_of_a_channel_sees_the_channels_own_alone(world: World) -> None:
    """Every list that it may ask for, and nothing of another channel in any of them."""
    mine = await world.key(Role.CHANNEL, None)
    sku = world.names["sku_id"]
    theirs = (await world.http.post("/v1/orders", json=order(sku, 1, channel="web"))).json()["order_id"]
    seen = {}
    for row in ROWS:
        if row.method != "GET" or "{" in row.path or row.operation == STREAM:
            continue
        answer = await world.http.get(row.path, headers=mine, params=world.query(row))
        if row.allows(Role.CHANNEL):
            assert answer.status_code == 200, (row.path, answer.text)
            seen[row.operation] = answer.text
        else:
            assert answer.status_code == 403, row.path
    assert set(seen) == {
        "listOrders", "listShipments", "listMessages", "getAvailability", "listAvailabilityChanges", "listChannels",
        "listSkus", "listReturns", "listSavedViews", "listHolds", "getHoldPolicy", "listHoldPolicies",
        "listChangeRules", "listCustomerQuestions",
            "listChannelMessages", "getInboxBalance", "listConnections", "getCorrectionRates",
    }  # fmt: skip
    assert world.names["order_id"] in seen["listOrders"]
    for operation, text in seen.items():
        assert theirs not in text, operation
        assert '"web"' not in text, operation
    balances = json.loads(seen["getAvailability"])["items"][0]["nodes"]
    assert balances == [], "what lies where is the house's own"


async def test_one_channel_cannot_touch_anothers_order(world: World) -> None:
    other = await world.key(Role.CHANNEL, "channel")
    mine = world.names["order_id"]
    before = (await world.http.get(f"/v1/orders/{mine}")).json()
    calls: tuple[tuple[str, str, Any], ...] = (
        ("POST", f"/v1/orders/{mine}/cancel", {}),
        ("POST", "/v1/returns", {"order_id": mine, "lines": [{"line_id": "1", "quantity": 1}]}),
        ("DELETE", f"/v1/reservations/{world.names['reservation_id']}", None),
        ("POST", f"/v1/reservations/{world.names['reservation_id']}/extend", {"seconds": 9}),
    )
    for method, path, body in calls:
        answer = await world.http.request(method, path, json=body, headers=other)
        assert answer.status_code == 404, (path, answer.text)
    assert (await world.http.get(f"/v1/orders/{mine}")).json() == before
