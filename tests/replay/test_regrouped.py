"""A replay need not tell an order at once what the first run told it at once: what it does must not depend on that.

A workflow task that timed out, or ended without a command, is joined with the next one when a history is replayed. Two
reports that an order heard one after the other it then hears together.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tools.record_histories import FOLDER
from worker import WORKFLOWS

Event = dict[str, Any]
NAMED = ("scheduledEventId", "startedEventId", "workflowTaskCompletedEventId")
"""How others name the events of a workflow task."""


class TestTwoReports:
    """A parcel comes back; then the node of another one, which began to wait before, accepts."""

    @pytest.mark.parametrize("together", [False, True], ids=["one after the other", "together"])
    async def test_are_heeded_in_the_sequence_they_came_in(self, together: bool) -> None:
        replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
        await replayer.replay_workflow(came_back(together=together))


def came_back(*, together: bool) -> WorkflowHistory:
    """What is recorded of the two reports, each in a workflow task, or both in one since the first task timed out."""
    recorded: list[Event] = json.loads((FOLDER / "came-back.json").read_text(encoding="utf-8"))["events"]
    returned = next(i for i, event in enumerate(recorded) if '"returned_to_sender"' in said(event))
    accepted = next(i for i, event in enumerate(recorded) if i > returned and '"accept"' in said(event))
    task, first = task_after(recorded, returned)
    _, second = task_after(recorded, accepted)
    told = History(recorded[:returned])
    told.add(recorded[returned])
    if together:
        told.add_task(task[:2], [])
        told.add(timed_out(told.events[-2:]))
    else:
        told.add_task(task, first)
    told.add(recorded[accepted])
    told.add_task(task, [*first, *second] if together else second)
    return WorkflowHistory.from_json("order-web-came-back", json.dumps({"events": told.events}))


class History:
    """A history that is put together of recorded events."""

    def __init__(self, events: list[Event]) -> None:
        self.events = [*events]

    def add(self, event: Event, **named: str) -> str:
        """Add an event under the next id, naming other events by theirs; answers its id."""
        added = json.loads(json.dumps(event)) | {"eventId": str(len(self.events) + 1)}
        for attributes in attributes_of(added):
            attributes.update({name: value for name, value in named.items() if name in attributes})
        self.events.append(added)
        return str(added["eventId"])

    def add_task(self, task: list[Event], commands: list[Event]) -> None:
        """Add a workflow task, as far as it came, and its commands."""
        named: dict[str, str] = {}
        for event, name in zip(
            task, ("scheduledEventId", "startedEventId", "workflowTaskCompletedEventId"), strict=False
        ):
            named[name] = self.add(event, **named)
        for command in commands:
            self.add(command, **named)


def attributes_of(event: Event) -> Iterator[Event]:
    yield from (value for name, value in event.items() if name.endswith("EventAttributes"))


def said(event: Event) -> str:
    """What a signal says; empty for other events."""
    payloads = event.get("workflowExecutionSignaledEventAttributes", {}).get("input", {}).get("payloads", [])
    return "".join(b64decode(payload["data"]).decode() for payload in payloads)


def task_after(recorded: list[Event], signal: int) -> tuple[list[Event], list[Event]]:
    """The first workflow task after a signal, and the events of its commands."""
    task = [
        next(event for event in recorded[signal:] if event["eventType"] == f"EVENT_TYPE_WORKFLOW_TASK_{step}")
        for step in ("SCHEDULED", "STARTED", "COMPLETED")
    ]
    completed = task[-1]["eventId"]
    commands = [
        event
        for event in recorded
        if any(each.get("workflowTaskCompletedEventId") == completed for each in attributes_of(event))
    ]
    return task, commands


def timed_out(task: list[Event]) -> Event:
    """The end of a workflow task that did not come to its end in time."""
    scheduled, started = (event["eventId"] for event in task)
    return {
        "eventTime": task[-1]["eventTime"],
        "eventType": "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT",
        "workflowTaskTimedOutEventAttributes": {
            "scheduledEventId": scheduled,
            "startedEventId": started,
            "timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE",
        },
    }
