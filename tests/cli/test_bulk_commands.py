"""`dom bulk` counts orders, does one thing to all of them, and says what became of each."""

import json
import re
from typing import Any, LiteralString

import psycopg
import pytest

from cli.embedded.temporal import EmbeddedTemporal
from cli.ports import free_port
from tests.cli.conftest import Dom
from tests.cli.test_order_command import capture


def dom_rows(url: str, query: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def on_servers(dom: Dom, temporal_server: EmbeddedTemporal) -> Dom:
    """With a Temporal server; no worker polls its task queue."""
    queue = f"q-{free_port()}"
    return lambda *arguments: dom(*arguments, DOM_TEMPORAL_ADDRESS=temporal_server.address, DOM_TASK_QUEUE=queue)


def test_counted_done_stopped_and_resumed(on_servers: Dom, world_url: str) -> None:
    capture(world_url, "bulk-1", "bulk-2")
    asked = ("bulk", "start", "cancel", "--sku", "A", "--reason", "a recall", "--only-sku", "A")
    counted = on_servers(*asked)
    assert counted.exit_code == 0, counted.output
    assert "2 orders; say --yes to do it" in counted.stdout
    started = on_servers(*asked, "--yes")
    assert started.exit_code == 0, started.output
    [run] = set(re.findall(r"bulk-[0-9a-f]{20}", started.stdout))
    assert f"{run} is queued: 2 orders, 2 open" in started.stdout
    assert f"{run} is stopped" in on_servers("bulk", "stop", run).stdout
    assert f"{run} is queued" in on_servers("bulk", "resume", run).stdout
    shown = on_servers("bulk", "show", run, "--json")
    assert shown.exit_code == 0, shown.output
    logged = dom_rows(world_url, "SELECT route, principal FROM audit_log ORDER BY id")
    assert logged == [(f"dom bulk {each}", "ada") for each in ("start", "stop", "resume")]
    told = json.loads(shown.stdout)
    assert (told["run"]["requested_by"], told["run"]["open"]) == ("ada", 2)
    assert {each["order_id"] for each in told["items"]} == {"web-bulk-1", "web-bulk-2"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hold", "--reason", "r", "--sku", "A"), "--type belongs to hold"),
        (("cancel", "--reason", "r", "--sku", "A", "--type", "manual"), "--type belongs to hold"),
        (("cancel", "--reason", "r"), "say what the orders have in common"),
        (("hold", "--type", "nothing", "--reason", "r", "--sku", "A"), "there is no type of hold nothing"),
        (("cancel", "--reason", "r", "--view", "v-nowhere"), "there is no view v-nowhere"),
    ],
)
def test_what_cannot_be_asked(dom: Dom, arguments: tuple[str, ...], said: str) -> None:
    refused = dom("bulk", "start", *arguments)
    assert refused.exit_code != 0
    assert said in refused.output


def test_an_order_that_is_not_there_is_named(dom: Dom, world_url: str) -> None:
    capture(world_url, "bulk-3")
    counted = dom("bulk", "start", "cancel", "--reason", "r", "--order", "web-bulk-3", "--order", "web-nowhere")
    assert "web-nowhere: there is no such order" in counted.output
    assert "1 order; say --yes" in counted.stdout
