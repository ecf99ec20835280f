"""`dom exceptions`: found, counted, worked on, and in the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.conftest import Dom
from tests.cli.test_keys_commands import execute

OPEN = """
INSERT INTO exceptions (kind, business_key, detail, severity, owner_role)
VALUES ('transfer_short', 'k1', '2 of A did not come', 'major', 'planner'),
       ('message_refused', 'k2', 'a mail was refused', 'minor', 'support') RETURNING id, version
"""


@pytest.fixture
def short(world_url: str) -> str:
    """The number of an exception that is open, beside another."""
    return str(execute(world_url, OPEN)[0][0])


def shown(answer: Result) -> Any:
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_one_is_found_counted_and_shown(dom: Dom, short: str) -> None:
    assert [each["id"] for each in shown(dom("exceptions", "list", "--kind", "transfer_short", "--json"))] == [
        int(short)
    ]
    assert "2 of A did not come" in dom("exceptions", "list", "--owner-role", "planner").output
    counted = shown(dom("exceptions", "counts", "--json"))
    assert (counted["total"], counted["severity"]) == (2, {"major": 1, "minor": 1})
    assert "transfer_short" in dom("exceptions", "counts", "--unassigned").output
    found = shown(dom("exceptions", "show", short, "--json"))
    assert (found["version"], found["owner"], found["actions"], found["comments"]) == (1, None, [], [])
    assert "what happened" not in dom("exceptions", "show", short).stderr


def test_one_is_worked_on_as_it_was_seen(dom: Dom, short: str, world_url: str) -> None:
    done = dom("exceptions", "assign", short, "--to", "Ben", "--seen", "1")
    assert done.output == f"exception {short} is open, at version 2, with Ben\n"
    stale = dom("exceptions", "resolve", short, "found", "--seen", "1")
    assert (stale.exit_code, stale.stdout) == (1, "")
    assert stale.stderr.startswith("dom: version: exception")
    for command, *options in (
        ("assign", "--role", "support", "--seen", "2"),
        ("assign", "--back", "--seen", "3"),
        ("snooze", "--hours", "24", "--seen", "3"),
        ("snooze", "--end", "--seen", "4"),
        ("comment", "asked both nodes", "--seen", "5"),
        ("resolve", "they turned up", "--seen", "5", "--by", "kim"),
        ("reopen", "--seen", "6"),
    ):
        assert dom("exceptions", command, short, *options).exit_code == 0, (command, options)
    found = shown(dom("exceptions", "show", short, "--json"))
    assert (found["status"], found["owner_role"], found["version"]) == ("open", "support", 7)
    assert [(each["author"], each["text"]) for each in found["comments"]] == [("ada", "asked both nodes")]
    logged = execute(world_url, "SELECT route, principal, method, object, reason FROM audit_log ORDER BY id")
    assert len(logged) == 8, "what was refused changed nothing"
    assert logged[0] == ("dom exceptions assign", "ada", "CLI", short, "")
    assert logged[-2] == ("dom exceptions resolve", "kim", "CLI", short, "they turned up")


@pytest.mark.parametrize(
    "arguments",
    [("assign", "--seen", "1"), ("assign", "--to", "Ben", "--back", "--seen", "1"), ("snooze", "--seen", "1"),
     ("resolve", "done", "--seen", "1", "--by", "system:ofl"), ("resolve", "done")],
)  # fmt: skip
def test_what_is_not_said_is_asked_for(dom: Dom, short: str, arguments: tuple[str, ...]) -> None:
    command, *rest = arguments
    assert dom("exceptions", command, short, *rest).exit_code == 2


def test_one_that_is_not_there_is_said_in_one_line(dom: Dom) -> None:
    answer = dom("exceptions", "show", "4711")
    assert (answer.exit_code, answer.stderr) == (1, "dom: there is no exception 4711\n")
