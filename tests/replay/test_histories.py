"""A running order survives a deploy: what was recorded before replays on the workflows of now.

Fails when a change of a workflow would stop orders that are on their way. Then guard the change with a new `EDITION`
of `workflows.messages`, or with `workflow.patched`; `python -m tools.record_histories` records anew what is meant to be
the past from now on.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tools.record_histories import PATHS, PRICED, RELAYED
from tools.recorded_work import RECORDED as RECORDED_WORK
from worker import WORKFLOWS
from workflows.messages import OrderInput, OrderResult
from workflows.order.process import OrderWorkflow

FOLDER = Path(__file__).parent / "histories"
RECORDED = sorted(FOLDER.glob("*.json"))


def history(name: str) -> WorkflowHistory:
    """A recorded history."""
    return WorkflowHistory.from_json(name, (FOLDER / f"{name}.json").read_text(encoding="utf-8"))


class TestRecorded:
    @pytest.mark.parametrize("name", [path.stem for path in RECORDED])
    async def test_replays(self, name: str) -> None:
        await Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter).replay_workflow(history(name))

    def test_covers_every_main_path_and_every_workflow(self) -> None:
        assert {path.stem for path in RECORDED} == {*PATHS, PRICED, RELAYED, *RECORDED_WORK, "returned"}
        started = {first_event(path)["workflowType"]["name"] for path in RECORDED}
        assert started == {workflow._Definition.must_from_class(each).name for each in WORKFLOWS}

    @pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
    def test_tells_nothing_of_who_recorded_it(self, path: Path) -> None:
        recorded = path.read_text(encoding="utf-8")
        assert "identity" not in recorded
        assert "stackTrace" not in recorded
        assert len(recorded) < 150_000


def first_event(path: Path) -> dict[str, Any]:
    started: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["events"][0]
    return dict(started["workflowExecutionStartedEventAttributes"])


@workflow.defn(name="Order")
class HastyOrder(OrderWorkflow):
    """The order as somebody may change it without a thought: it rests before it is accepted."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        await asyncio.sleep(60)
        return await super().run(start)


class TestTheGuardItself:
    """Outside the sandbox, because the changed workflow is part of this test."""

    async def test_an_unchanged_workflow_passes(self) -> None:
        await self.replay(OrderWorkflow)

    async def test_a_changed_workflow_is_caught(self) -> None:
        with pytest.raises(NondeterminismError):
            await self.replay(HastyOrder)

    async def replay(self, cls: type) -> None:
        replayer = Replayer(
            workflows=[cls],
            data_converter=pydantic_data_converter,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        await replayer.replay_workflow(history("delivered"))
