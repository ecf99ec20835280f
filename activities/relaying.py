"""Relaying: the outbox is sent by one long-running activity, which another worker takes over when its own dies."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from temporalio import activity

from activities.lasting import Seconds, time_to_stop
from connectors.notifications.port import Sender
from dom.notifications.messages import Medium
from dom.shared.base import Value
from services.customer_links import NO_LINKS, CustomerLinks
from services.database import Database
from services.relay import Relay, RelayPace
from store.database.uninterrupted import uninterrupted
from store.enums import MessageStatus
from store.notifications import outbox

END_OF_TURN_SECONDS: Final = 90.0
"""What senders under way get at the end of a turn: longer than a mail with all its exchanges takes."""


class RelayTurn(Value):
    """A turn of the relay: it ends after so many seconds, and says every `beat` seconds that it is alive."""

    seconds: Seconds = 300.0
    beat: Seconds = 2.0


class Relayed(Value):
    """What a turn did: messages that were sent, put off (each time counts), failed for good, or are in doubt; how many
    wait at its end, and for how many seconds the oldest of them.
    """

    sent: int
    put_off: int
    failed: int
    uncertain: int
    waiting: int
    oldest_seconds: int


@dataclass(frozen=True, slots=True)
class Relaying:
    """Sends what stands in the outbox; `senders` by medium, `webhook_url` where the webhooks of orders go, `links` how
    customers answer.

    `drain_seconds` is what a worker that stops gives its activities.
    """

    database: Database
    senders: Mapping[Medium, Sender]
    webhook_url: str = ""
    links: CustomerLinks = NO_LINKS
    drain_seconds: float = 10.0
    pace: RelayPace = field(default_factory=RelayPace)

    @activity.defn(name="relay_outbox")
    async def relay_outbox(self, turn: RelayTurn) -> Relayed:
        """Send until the turn is over or the worker drains. What is under way then comes to its end first.

        What takes longer than a draining worker has time for is cut off; what had left before is written down.
        A relay that was taken over, because it was silent for too long, ends with AnotherRelay and has sent nothing
        since.
        """
        stop, relay = asyncio.Event(), Relay(self.database, self.senders, self.webhook_url, self.pace, self.links)
        running = asyncio.create_task(relay.run(stop))
        draining = asyncio.create_task(activity.wait_for_worker_shutdown())
        beating = asyncio.create_task(_beat(relay, turn.beat))
        try:
            await asyncio.wait({running, draining}, timeout=turn.seconds, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await asyncio.wait({running, draining}, timeout=END_OF_TURN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({running}, timeout=time_to_stop(self.drain_seconds))
        finally:
            for task in (running, draining, beating):
                task.cancel()
            await asyncio.gather(running, draining, beating, return_exceptions=True)
        if not running.cancelled():
            running.result()
        return await uninterrupted(self._relayed(relay))

    async def _relayed(self, relay: Relay) -> Relayed:
        async with self.database.statement() as connection:
            await outbox.forget(connection)
            standing = await outbox.backlog(connection)
        return Relayed(
            sent=relay.counts[MessageStatus.SENT],
            put_off=relay.counts[MessageStatus.PENDING],
            failed=relay.counts[MessageStatus.FAILED],
            uncertain=relay.counts[MessageStatus.UNCERTAIN],
            waiting=standing["waiting"],
            oldest_seconds=round(standing["oldest"]),
        )


async def _beat(relay: Relay, every: float) -> None:
    while True:
        activity.heartbeat({str(status): count for status, count in sorted(relay.counts.items())})
        await asyncio.sleep(every)
