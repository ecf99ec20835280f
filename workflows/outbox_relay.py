"""The outbox is sent by one workflow: it runs the relay, turn after turn, wherever a worker is."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy

with workflow.unsafe.imports_passed_through():
    from activities.relaying import END_OF_TURN_SECONDS, Relayed, Relaying, RelayTurn
    from dom.shared.base import Value
    from workflows.words import counted

WORKFLOW_ID: Final = "outbox-relay"
"""There is one in a namespace."""
TURNS: Final = 100
"""Turns of one run, about eight hours; then the workflow goes on as a new run, so that its history stays small."""
_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))
_SLACK: Final = timedelta(seconds=END_OF_TURN_SECONDS + 30)
"""What a turn may last beyond its time."""


class RelayInput(Value):
    """What the relay is started with. `silence_seconds`: how long it may be silent before it counts as dead; another
    worker takes over then.
    """

    turn: RelayTurn = RelayTurn()
    turns: int = TURNS
    silence_seconds: float = 15.0


@workflow.defn(name="OutboxRelay")
class OutboxRelayWorkflow:
    """Sends what stands in the outbox. It never ends; terminated, it is started again by a worker."""

    @workflow.run
    async def run(self, start: RelayInput) -> None:
        """Turn after turn. Work of a turn that failed or died is taken over by its next attempt."""
        for _ in range(start.turns):
            relayed: Relayed = await workflow.execute_activity_method(
                Relaying.relay_outbox,
                start.turn,
                start_to_close_timeout=timedelta(seconds=start.turn.seconds) + _SLACK,
                heartbeat_timeout=timedelta(seconds=start.silence_seconds),
                retry_policy=_AGAIN,
                summary="Send what customers, channels and systems are to be told",
            )
            workflow.set_current_details(_in_words(relayed, workflow.now().strftime("%Y-%m-%d %H:%M:%S")))
        workflow.continue_as_new(start)


def _in_words(relayed: Relayed, at: str) -> str:
    waiting = counted(relayed.waiting, "message") + (" waits" if relayed.waiting == 1 else " wait")
    oldest = f", the oldest for {relayed.oldest_seconds} s" if relayed.waiting else ""
    return (
        f"**{waiting}**{oldest} (at {at} UTC).\n\n"
        f"In the last turn: {relayed.sent} sent, {relayed.put_off} put off, {relayed.failed} failed, "
        f"{relayed.uncertain} in doubt."
    )


async def ensure(
    client: Client, task_queue: str, start: RelayInput | None = None, workflow_id: str = WORKFLOW_ID
) -> WorkflowHandle[OutboxRelayWorkflow, None]:
    """Start the relay unless it runs. Raises RPCError if Temporal refuses."""
    return await client.start_workflow(
        OutboxRelayWorkflow.run,
        start or RelayInput(),
        id=workflow_id,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        static_summary="Sends mails, webhooks and notices to workflows",
    )
