"""Starts the workflow that sends the outbox, should somebody have terminated it, or the engine have lost it."""

from typing import Final

from temporalio.client import Client

from workflows.outbox_relay import ensure


class StartingRelay:
    """One call to Temporal every so many seconds; nothing happens while the relay runs."""

    name: Final = "starting_relay"

    def __init__(self, client: Client, task_queue: str, *, every: float = 60.0) -> None:
        self._client = client
        self._task_queue = task_queue
        self.every = every

    async def run(self) -> bool:
        """Start it unless it runs. Raises RPCError if Temporal refuses."""
        await ensure(self._client, self._task_queue)
        return False
