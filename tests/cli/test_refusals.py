"""What a refusal knows besides its sentence is shown below it, and whole where JSON is asked for."""

import asyncio
import json

import pytest

from cli.refusals import known, refusals_in_words
from dom.shared.errors import CannotCancel
from tests.cli.conftest import Dom
from tests.cli.test_keys_commands import execute
from tests.cli.test_order_command import capture
from tests.worlds import small
from tests.worlds.running import House
from tests.worlds.steps import ended, ship

ITEMISED = {
    "cancellable": {"1": 2},
    "lines": [
        {"line_id": "1", "asked": 3, "left": [{"quantity": 1, "reason": "handed_over", "fulfilment_id": "web-7-F1"}]},
        {"line_id": "2", "asked": 1, "left": []},
    ],
    "instead": "",
    "status": None,
    "skus": ["A", "B"],
}


def test_every_part_is_said_and_nothing_that_is_empty() -> None:
    assert list(known(ITEMISED, "  ")) == [
        "  cancellable:",
        "    1 2",
        "  lines:",
        "    line id 1, asked 3, left (quantity 1, reason handed_over, fulfilment id web-7-F1)",
        "    line id 2, asked 1",
        "  skus: A, B",
    ]


def test_the_rule_and_what_else_could_be_done(dom: Dom, world_url: str) -> None:
    capture(world_url, "7")
    execute(world_url, "UPDATE fulfilments SET status = 'handed_over' RETURNING id")
    refused = dom("order", "change", "web-7", "--quantity", "1=1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    first, *besides = refused.stderr.splitlines()
    assert "set_quantity cannot be changed any more" in first
    assert [line.partition(": ")[0] for line in besides] == ["  change", "  level", "  instead"]


def test_whole_as_json(dom: Dom, capsys: pytest.CaptureFixture[str]) -> None:
    refused = dom("stock", "reallocate", "NOWHERE", "--json")
    assert refused.exit_code == 1, refused.output
    problem = json.loads(refused.stdout)
    assert (problem["type"], problem["status"], problem["field"]) == ("/problems/unknown-sku", 422, "skus[0]")
    assert problem["data"] == {"skus": ["NOWHERE"]}
    assert refused.stderr.splitlines() == ["dom: skus[0]: there is no SKU NOWHERE", "  skus: NOWHERE"]
    with pytest.raises(BaseException), refusals_in_words(as_json=True):  # noqa: B017, PT011  it ends the command
        raise CannotCancel("too late", data=ITEMISED)
    assert json.loads(capsys.readouterr().out)["data"] == ITEMISED


async def test_each_unit_that_was_not_cancelled(house: House, at_work: Dom) -> None:
    order = small.order("refusal-1", A=2)
    await house.send(order)
    await ship(house, order)
    refused = await asyncio.to_thread(at_work, "order", "cancel", order.order_id, "--json")
    assert refused.exit_code == 1, refused.output
    (line,) = json.loads(refused.stdout)["data"]["lines"]
    assert (line["asked"], [left["quantity"] for left in line["left"]]) == (2, [2])
    assert "line id 1, asked 2, left" in refused.stderr
    await house.carrier_says(order, "delivered")
    await ended(house, order)
