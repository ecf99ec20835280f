"""`dom questions`: what customers have not answered, and what came of what they were asked."""

import asyncio
import json

from tests.cli.conftest import Dom
from tests.cli.test_keys_commands import execute
from tests.cli.test_order_command import ask, capture

LATER = "UPDATE fulfilments SET promise_latest = promise_latest + interval '3 days' RETURNING id"


def asked(url: str) -> None:
    """Two customers are asked, and one has answered."""
    capture(url, "7", "8")
    execute(url, LATER)
    for order_id in ("web-7", "web-8"):
        asyncio.run(ask(url, order_id))


def test_open_ones_are_listed_and_others_by_status_and_order(dom: Dom, world_url: str) -> None:
    asked(world_url)
    assert dom("order", "answer", "web-8-Q1", "wait").exit_code == 0
    listed = dom("questions", "list")
    assert listed.exit_code == 0, listed.output
    for part in ("1 questions", "web-7-Q1", "open", "2 of line 1", "wait, cancel"):
        assert part in listed.stdout
    assert "web-8-Q1" not in listed.stdout
    for options, ids in (
        (("--status", "answered"), ["web-8-Q1"]),
        (("--status", "open", "--status", "answered"), ["web-7-Q1", "web-8-Q1"]),
        (("--order", "web-7"), ["web-7-Q1"]),
        (("--order", "web-8"), []),
        (("--status", "open", "--status", "answered", "--limit", "1"), ["web-7-Q1"]),
    ):
        found = json.loads(dom("questions", "list", *options, "--json").stdout)
        assert [each["question_id"] for each in found] == ids, options
        assert not any("link" in name for each in found for name in each), "a link is the customer's"


def test_one_is_shown(dom: Dom, world_url: str) -> None:
    asked(world_url)
    shown = dom("questions", "show", "web-7-Q1")
    assert shown.exit_code == 0, shown.output
    for part in (
        "question id: web-7-Q1",
        "status: open",
        "units: 2 of line 1",
        "choices: wait, cancel",
        "silence: wait",
    ):
        assert part in shown.stdout
    assert "link" not in shown.stdout
    assert json.loads(dom("questions", "show", "web-7-Q1", "--json").stdout)["units"] == {"1": 2}
    missing = dom("questions", "show", "web-7-Q9")
    assert (missing.exit_code, missing.stderr) == (1, "dom: there is no question web-7-Q9\n")


def test_what_is_answered_is_what_was_shown(dom: Dom, world_url: str) -> None:
    asked(world_url)
    seen = json.loads(dom("questions", "show", "web-7-Q1", "--json").stdout)["seen"]
    stale = dom("order", "answer", "web-7-Q1", "wait", "--seen", "another")
    assert (stale.exit_code, stale.stderr.startswith("dom: seen: the question says something else")) == (1, True)
    assert dom("order", "answer", "web-7-Q1", "wait", "--seen", seen).exit_code == 0
