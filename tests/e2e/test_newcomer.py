"""What the README promises a newcomer: `dom up --demo`, then an order of one's own, from POST to delivered."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from google.protobuf.message import Message
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.folder import DataFolder
from cli.process import python_module
from dom.shared import ids
from simulator.cases import OPENING, Case
from simulator.guide import STORIES
from tests.e2e.walking import FIRST_ORDER, Walk
from tests.worlds.stack import RunningStack, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack")]

REPOSITORY = Path(__file__).parents[2]
STORY = [
    "accepted",
    "fulfilment_accepted",
    "fulfilment_picked",
    "fulfilment_packed",
    "carrier_booked",
    "fulfilment_handed_over",
    "fulfilment_delivered",
]


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """`make run` with fewer orders, when its summary has been shown and it goes on serving."""
    stack = RunningStack(DataFolder(tmp_path_factory.mktemp("newcomer") / "var"))
    try:
        stack.up("--demo", "--orders", "10")
        until("the summary is shown", lambda: "Every one of the 10 orders" in stack.said("up"), 120)
        until("it is said what to look at", lambda: "what waits" in stack.said("up"), 120)
        yield stack
        assert stack.stop() == 0
    finally:
        stack.close()


@pytest.fixture
def client(after_demo: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=after_demo.url, timeout=30, headers=after_demo.headers) as client:
        yield client


def numbered(external_id: str, **fields: object) -> dict[str, object]:
    return {**FIRST_ORDER, "external_id": external_id, **fields}


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


class TestWhatToLookAt:
    """Orders that the demo names after its summary, while it goes on."""

    def test_each_named_order_stands_as_it_is_said(self, after_demo: RunningStack, client: httpx.Client) -> None:
        said = after_demo.said("up")
        named = {
            case: found[1]
            for case, story in STORIES.items()
            if (found := re.search(rf"^(\S+) {story}", said, re.MULTILINE))
        }
        assert set(named) == set(Case), said
        for order_id in named.values():
            assert f"/namespaces/default/workflows/order-{order_id}" in said
            assert Walk(client, order_id).get()["status"] not in {"delivered", "cancelled"}

        asked = re.findall(r"^.* (curl -s .*)$", said, re.MULTILINE)
        assert len(asked) == len(("one order in full", "what waits", "exceptions"))
        for line in asked if all(map(shutil.which, ("bash", "curl"))) else ():
            ran = subprocess.run(["bash", "-c", f"{line} -f"], capture_output=True, check=False)  # noqa: S607
            assert ran.returncode == 0, line
        waiting = client.get("/v1/orders", params={"waiting": "true"}).json()["items"]
        assert named[Case.WAITING] in {order["order_id"] for order in waiting}
        lost = Walk(client, named[Case.LOST]).get()
        assert "parcel_lost" in {each["kind"] for each in lost["exceptions"]}
        back = Walk(client, named[Case.BROUGHT_BACK])
        assert "parcel_lost" in {each["kind"] for each in back.get()["exceptions"]}
        assert {"fulfilment_lost", "return_requested"} <= {event["kind"] for event in back.events()}
        assert "fulfilment_rejected" in {event["kind"] for event in Walk(client, named[Case.REJECTED]).events()}

    def test_it_is_said_in_words_and_lines(self, after_demo: RunningStack) -> None:
        said = after_demo.said("up")
        assert not re.search(r"\w\(\w+=", said), "no object is printed as it is"
        assert "\x1b" not in said, "no panel where there is no terminal"
        assert "35,208" not in said


class TestPromise:
    def test_an_old_order_sent_now_is_promised_for_the_future(self, client: httpx.Client) -> None:
        sent_at = datetime.now(UTC)
        answer = client.post("/v1/orders", json=numbered("promise-1"))
        assert answer.status_code == 201, answer.text
        promise = answer.json()["promise"]
        assert sent_at < at(promise["earliest"]) <= at(promise["latest"])
        work = Walk(client, answer.json()["order_id"]).fulfilment()
        assert at(work["ship_by"]) > sent_at

    def test_history_sent_again_is_promised_for_its_own_time(self, client: httpx.Client) -> None:
        answer = client.post("/v1/orders", json=numbered("promise-2", tags=["replay"]))
        promise = answer.json()["promise"]
        placed_at = at(str(FIRST_ORDER["placed_at"]))
        assert placed_at < at(promise["earliest"])
        assert (at(promise["latest"]) - placed_at).days < 10

    def test_the_orders_of_the_demo_were_planned_as_of_their_own_dates(self, client: httpx.Client) -> None:
        found = client.get("/v1/orders", params={"q": "replay", "limit": 200}).json()["items"]
        replayed = [order for order in found if order["placed_at"] != FIRST_ORDER["placed_at"]]
        assert len(replayed) >= 10 + OPENING
        promised = [order for order in replayed if order["promise"]]
        assert len(replayed) - len(promised) <= 1, "one waits for stock"
        for order in promised:
            assert at(order["placed_at"]) < at(order["promise"]["earliest"])
            assert at(order["promise"]["latest"]) < at(order["captured_at"])


class TestFirstOrder:
    def test_from_post_to_delivered(self, after_demo: RunningStack, client: httpx.Client) -> None:
        answer = client.post("/v1/orders", json=numbered("10002"))
        assert answer.status_code == 201, answer.text
        assert answer.json()["status"] == "accepted"
        walk = Walk(client, answer.json()["order_id"])
        assert walk.order_id == "web-10002"
        assert client.get(answer.json()["links"]["self"]).json()["status"] == "accepted"

        walk.to_delivered()

        (line,) = walk.get()["lines"]
        assert (line["ordered"], line["delivered"], line["allocated"], line["backordered"]) == (2, 2, 0, 0)
        events = walk.events()
        assert [event["kind"] for event in events] == STORY
        assert all(event["actor"] for event in events)
        self.explains_itself(walk)
        self.wrote_to_the_customer(after_demo, walk)
        asyncio.run(self.can_be_read_in_temporal(after_demo, walk))
        label = client.get(f"/v1/fulfilments/{walk.order_id}-F1/label")
        assert label.content.startswith(b"%PDF-")
        shown = after_demo.dom("order", walk.order_id)
        assert f"{walk.order_id}: delivered" in shown.stdout

    def explains_itself(self, walk: Walk) -> None:
        (made,) = walk.get("/sourcing")["decisions"]
        decision = made["decision"]
        (shipment,) = decision["shipments"]
        assert shipment["node_id"] == walk.fulfilment()["node_id"]
        assert made["policy_version"] == 1
        assert len(decision["candidates"]) >= 12
        assert any(not fence["passed"] for candidate in decision["candidates"] for fence in candidate["fences"])
        assert decision["reasons"]
        assert decision["runner_up"]["cost"] >= sum(shipment["costs"].values())

    def wrote_to_the_customer(self, stack: RunningStack, walk: Walk) -> None:
        customer = FIRST_ORDER["customer"]["email"]

        def mine() -> list[str]:
            about = [mail for mail in stack.mails() if mail["To"] == customer and "10002" in mail["Subject"]]
            return [str(mail["Subject"]) for mail in about]

        until("three mails are in the folder", lambda: len(mine()) == 3)
        until(
            "the messages are settled",
            lambda: Counter(message["status"] for message in walk.get()["messages"]) == {"sent": 3},
        )
        assert len(set(mine())) == 3, "confirmed, shipped, delivered"

    async def can_be_read_in_temporal(self, stack: RunningStack, walk: Walk) -> None:
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        handle = temporal.get_workflow_handle(ids.order_workflow_id(walk.order_id))
        described = await handle.describe()
        assert described.status is WorkflowExecutionStatus.COMPLETED
        summary = await described.static_summary()
        assert summary is not None
        assert summary.startswith("web order 10002: 1 line, 2 units for GB LS1")
        attributes = described.typed_search_attributes
        assert attributes.get(SearchAttributeKey.for_keyword("DomStatus")) == "delivered"
        metadata: Message = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        report = metadata.current_details  # type: ignore[attr-defined]
        for part in ("**delivered**", "line 1: 2 x 85123A", f"{walk.order_id}-F1", walk.fulfilment()["node_id"]):
            assert part in report, report


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl"))), reason="the README's way needs bash and curl")
class TestReadme:
    """The commands of the README, as they stand there; only the addresses and the patience differ."""

    def test_its_first_order_is_delivered(self, after_demo: RunningStack, client: httpx.Client) -> None:
        printed = typed(shell_of("## Your first order").replace("sleep 1", "sleep 5"), after_demo)
        assert printed.startswith('{"order_id":"web-10001","status":"accepted","promise":{"earliest":"')
        assert printed.count('"taken"') == len(("accept", "pick", "pack", "hand-over"))
        assert '"status":"recorded"' in printed
        assert "web-10001: " in printed, "`dom order` was shown"
        walk = Walk(client, "web-10001")
        until("it is delivered", lambda: walk.get()["status"] == "delivered")

    def test_its_basket_can_be_had_and_is_held(self, after_demo: RunningStack) -> None:
        names = [
            line for line in shell_of("## Your first order").splitlines() if line.startswith(("API=", "JSON=", "KEY="))
        ]
        printed = typed("\n".join([*names, shell_of("## Can I have it, from where, by when?")]), after_demo)
        assert '"sku":"85123A","available":' in printed
        assert printed.count('"complete":true') == len(("economy", "standard", "express"))
        assert '"owner":"cart-7","reason":"","status":"active"' in printed
        assert "85123A at " in printed, "`dom stock show` was shown"

    def test_its_change_of_a_rule_is_checked_rehearsed_and_published(
        self, after_demo: RunningStack, client: httpx.Client, tmp_path: Path
    ) -> None:
        client.post("/v1/orders", json=numbered("10001"))
        script = shell_of("## Change a rule")
        for name in ("my.yaml", "rehearsal.html"):
            assert name in script
            script = script.replace(name, str(tmp_path / name))
        printed = typed(script, after_demo)
        assert "split_penalty: 125" in (tmp_path / "my.yaml").read_text()
        assert "<svg" in (tmp_path / "rehearsal.html").read_text()
        assert "as version 2" in printed
        assert client.get("/v1/ofl/policies/live").json()["comment"] == "splitting is cheaper"
        assert "web-10001" in printed, "`dom ofl explain` was shown"


def typed(script: str, stack: RunningStack) -> str:
    """What a shell prints for the README's commands, at the stack's addresses."""
    script = script.replace("http://127.0.0.1:8000", stack.url).replace("var/keys", str(stack.folder.keys))
    ran = subprocess.run(
        ["bash", "-euc", script.replace(".venv/bin/dom", shlex.join(python_module("cli")))],  # noqa: S607
        cwd=REPOSITORY,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def shell_of(heading: str) -> str:
    """The shell commands of a section of the README; answers shown there begin with a brace."""
    section = (REPOSITORY / "README.md").read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    shown = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    return "\n".join(line for line in shown if not line.startswith("{"))


class TestSameOrderAgain:
    def test_the_same_content_is_answered_again_and_other_content_refused(self, client: httpx.Client) -> None:
        order = numbered("again-1")
        first, second = (client.post("/v1/orders", json=order) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json() == second.json()
        changed = client.post("/v1/orders", json={**order, "shipping_method": "express"})
        assert changed.status_code == 409
        assert changed.headers["content-type"].startswith("application/problem+json")


class TestBackgroundWork:
    def test_a_file_is_applied_and_a_rehearsal_run(self, client: httpx.Client) -> None:
        query = {"kind": "deltas", "source": "newcomer"}
        sent = client.post("/v1/inventory/imports", params=query, content="node_id,sku,quantity\nnowhere,none,1\n")
        asked = client.post("/v1/ofl/rehearsals", json={"which": "live", "orders": "last-3-orders"})
        for answer in (sent, asked):
            assert answer.status_code == 202, answer.text
        for where in (sent.headers["Location"], asked.headers["Location"]):
            until(f"{where} is done", partial(is_done, client, where), 60)
        assert client.get(sent.headers["Location"]).json()["outcomes"] == {"refused": 1}


def is_done(client: httpx.Client, where: str) -> bool:
    return bool(client.get(where).json()["status"] == "done")
