"""The relay: takes what is due out of the outbox, sends many messages at once, and writes down what became of each."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, Sender, TemporaryFailureError
from dom.exceptions import ExceptionKind
from dom.notifications.messages import Medium, Notice
from dom.shared.backoff import pause
from dom.shared.errors import OutsideFailure
from services import availability_news, reoptimisation
from services.composing import compose
from services.customer_links import NO_LINKS, CustomerLinks
from services.database import Database
from store import backorders, exceptions
from store.database.engine import is_unavailable
from store.database.listening import listen
from store.database.uninterrupted import uninterrupted
from store.enums import MessageStatus
from store.notifications import outbox
from store.notifications.outbox import Settled, Settlement
from store.orders import processes

_NEVER_GIVEN_UP: Final = frozenset({Medium.AVAILABILITY})
"""A channel whose webhook refuses is set up wrongly, and hears what it missed once that is mended."""
_GONE: Final[Mapping[str, Callable[[AsyncConnection, RowMapping], Awaitable[None]]]] = {
    Notice.STOCK_ARRIVED: lambda connection, row: backorders.without_process(connection, row["order_id"]),
    Notice.REOPTIMISED: lambda connection, row: reoptimisation.without_process(connection, row["order_id"]),
    Notice.ORDER_CHANGED: lambda connection, row: processes.gone(connection, row["order_id"]),
    availability_news.KIND: lambda connection, row: availability_news.without_receiver(
        connection, row["recipient"], row["payload"]
    ),
}
"""What is done where nobody was there to hear it, by kind."""
_AGAIN_SECONDS: Final = 0.5
"""Pause before a database that is away is asked again."""
_LAST_SECONDS: Final = 2.0
"""How long a relay that is ended by force tries to write down what it knows."""

T = TypeVar("T")
_log = structlog.get_logger("outbox")


def _slots() -> dict[Medium, int]:
    return {Medium.MAIL: 4, Medium.WEBHOOK: 16, Medium.AVAILABILITY: 16, Medium.WORKFLOW: 16, Medium.CHANNEL: 8}


@dataclass(frozen=True, slots=True)
class RelayPace:
    """How fast the relay goes; all in seconds but `slots`: how many messages of each medium are under way at once.

    `poll` is the time between two looks without being woken. One that was put off is tried again after `first_pause`,
    then after twice as long each time, up to `longest_pause`; after `give_up` it has failed. What is never given up is
    put before a person after `stuck`.
    """

    slots: Mapping[Medium, int] = field(default_factory=_slots)
    poll: float = 5.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    give_up: float = 3 * 86400.0
    stuck: float = 3600.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that was under way: what became of it, and what a person is told of it, if anything."""

    row: RowMapping
    outcome: Settlement
    exception: ExceptionKind | None = None


class Relay:
    """Sends what stands in the outbox. `senders` by medium; `webhook_url` where the webhooks of orders go, `links` how
    customers answer.

    Messages for one receiver go one after the other. One that fails holds up its own receiver, and a slow medium its
    own slots.
    """

    def __init__(
        self,
        database: Database,
        senders: Mapping[Medium, Sender],
        webhook_url: str = "",
        pace: RelayPace | None = None,
        links: CustomerLinks = NO_LINKS,
    ) -> None:
        self._database = database
        self._senders = senders
        self._webhook_url = webhook_url
        self._links = links
        self._pace = pace or RelayPace()
        self._number = 0
        self._look_at = 0.0
        self._wake = asyncio.Event()
        self._in_hand: dict[int, Medium] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._done: list[_Sent] = []
        self._broken: BaseException | None = None
        self.counts: Counter[MessageStatus] = Counter()
        """What became of messages since the relay began; pending ones were put off."""

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`, then wait for what is under way. Raises AnotherRelay if a later relay has begun."""
        self._number = await self._patiently(self._begin)
        listening = asyncio.create_task(listen(self._database.engine, {outbox.CHANNEL: self._wake.set}))
        stopping = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set() or self._under_way or self._done:
                self._wake.clear()
                if self._broken is not None:
                    raise self._broken
                if await self._settle() and not stop.is_set():
                    await self._look()
                await self._rest(self._pace.poll if stop.is_set() else self._look_at - monotonic())
        finally:
            for task in (listening, stopping, *self._under_way):
                task.cancel()
            await asyncio.gather(listening, stopping, *self._under_way, return_exceptions=True)
            await self._settle_at_last()

    async def _begin(self) -> int:
        async with self._database.transaction() as connection:
            return await outbox.begin(connection)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _look(self) -> None:
        """Claim what is due, and remember when to look again without being woken."""
        next_in = await self._patiently(self._claim)
        self._look_at = monotonic() + min(self._pace.poll, self._pace.poll if next_in is None else next_in)

    async def _rest(self, seconds: float) -> None:
        """So long, or until something was written or sent; at once if something was sent meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _claim(self) -> float | None:
        """Claim what is due and begin to send it; seconds until something else is due."""
        busy = Counter(self._in_hand.values())
        free = {
            medium: slots - busy[medium]
            for medium, slots in self._pace.slots.items()
            if medium in self._senders and slots > busy[medium]
        }
        async with self._database.statement() as connection:
            claimed = await outbox.claim(connection, self._number, free, self._in_hand)
        for row in claimed.messages:
            sending = asyncio.create_task(self._send(row))
            self._in_hand[row["id"]] = Medium(row["medium"])
            self._under_way.add(sending)
            sending.add_done_callback(self._ended)
        return claimed.next_in

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            self._broken = self._broken or task.exception()
        self._wake.set()

    async def _send(self, row: RowMapping) -> None:
        self._done.append(await self._sent(row))

    async def _sent(self, row: RowMapping) -> _Sent:
        try:
            message = compose(row, self._webhook_url, self._links)
        except Exception as error:  # it has not left, and waits until it can be written
            _log.exception("cannot write a message", key=row["business_key"])
            return self._put_off(row, error)
        try:
            await self._senders[message.medium].send(message)
        except ReceiverNotFoundError as error:
            return await self._gone(row, message, error)
        except Exception as error:
            return self._not_sent(row, error)
        return _Sent(row, Settlement(row["id"], MessageStatus.SENT))

    async def _gone(self, row: RowMapping, message: OutboundMessage, error: ReceiverNotFoundError) -> _Sent:
        """Nobody is there: of a notice, a person hears of the order; availability is told anew. Safe to repeat."""
        _log.warning("nobody to tell", receiver=row["receiver"], kind=row["kind"])
        if row["kind"] in _GONE:
            try:
                if not await uninterrupted(self._reaches_nobody(row, message)):
                    return _Sent(row, Settlement(row["id"], MessageStatus.SENT))
            except Exception as failed:
                _log.exception("nobody to tell, and it cannot be said", key=row["business_key"])
                return self._put_off(row, failed)
        return _Sent(row, Settlement(row["id"], MessageStatus.FAILED, str(error)))

    async def _reaches_nobody(self, row: RowMapping, message: OutboundMessage) -> bool:
        """Do what is done without a receiver; False if a process that began anew meanwhile heard of it after all.

        A process locks its order as it begins: one that does not run while we hold the lock finds what is written here.
        """
        async with self._database.transaction() as connection:
            if message.medium is Medium.WORKFLOW:
                await backorders.lock_order(connection, row["order_id"])
                with suppress(ReceiverNotFoundError):
                    await self._senders[message.medium].send(message)
                    return False
            await _GONE[row["kind"]](connection, row)
            return True

    def _not_sent(self, row: RowMapping, error: Exception) -> _Sent:
        """What a sender's error means for a message."""
        if isinstance(error, OutsideFailure) and row["medium"] not in _NEVER_GIVEN_UP:
            return _Sent(row, Settlement(row["id"], MessageStatus.FAILED, error.detail), ExceptionKind.MESSAGE_REFUSED)
        if isinstance(error, TemporaryFailureError | OutsideFailure):
            return self._put_off(row, error)
        _log.error("a sender failed", key=row["business_key"], exc_info=error)
        if row["medium"] != Medium.MAIL:
            return self._put_off(row, error)
        return _Sent(row, Settlement(row["id"], MessageStatus.UNCERTAIN, repr(error)), ExceptionKind.MESSAGE_UNCERTAIN)

    def _put_off(self, row: RowMapping, error: Exception) -> _Sent:
        """It is tried again later, or given up after all this time."""
        why, kind = str(error) or repr(error), None
        if row["medium"] in _NEVER_GIVEN_UP:
            if row["age"] >= self._pace.stuck:
                kind = ExceptionKind.WEBHOOK_STUCK
                why = f"{row['receiver']} has taken nothing for {row['age']:.0f} s: {why}"
        elif row["age"] >= self._pace.give_up:
            about = f"{row['kind']} to {row['recipient']} - {why}"
            return _Sent(row, Settlement(row["id"], MessageStatus.FAILED, about), ExceptionKind.MESSAGE_GIVEN_UP)
        again_in = pause(row["attempts"], self._pace.first_pause, self._pace.longest_pause)
        return _Sent(row, Settlement(row["id"], MessageStatus.PENDING, why, again_in=again_in), kind)

    async def _settle(self) -> bool:
        """Write what became of messages: only we know it, so a database that is away is waited for.

        Answers whether there may be something to claim. There is not where a settlement that was asked for after we
        were woken found nothing else due, and it is not yet time to look.
        """
        if not self._done:
            return True
        done = list(self._done)
        settled = await self._patiently(lambda: self._write(done))
        del self._done[: len(done)]
        for sent in done:
            del self._in_hand[sent.outcome.id]
        self.counts.update(sent.outcome.status for sent in done if sent.outcome.id in settled.ids)
        put_off = any(sent.outcome.status is MessageStatus.PENDING for sent in done)
        return settled.more or put_off or monotonic() >= self._look_at

    async def _settle_at_last(self) -> None:
        """What is known is not lost with a relay that is cancelled or fails; mails would be in doubt without need."""
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await self._settle()
        except Exception as error:  # what ended the relay is what is raised
            _log.warning("what became of messages was not written down", messages=len(self._done), exc_info=error)

    async def _write(self, done: list[_Sent]) -> Settled:
        """Write outcomes, and what a person is to hear of them, of the messages that are still this relay's."""
        outcomes = [sent.outcome for sent in done]
        if not any(sent.exception for sent in done):
            async with self._database.statement() as connection:
                return await outbox.settle(connection, self._number, outcomes)
        async with self._database.transaction() as connection:
            settled = await outbox.settle(connection, self._number, outcomes)
            for sent in done:
                if (kind := sent.exception) is not None and sent.outcome.id in settled.ids:
                    row, why = sent.row, sent.outcome.error
                    await exceptions.open_(connection, row["order_id"], kind, row["business_key"], why)
            return settled

    async def _patiently(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do work of the database, however long it is away. What it refuses is raised."""
        while True:
            try:
                return await uninterrupted(work())
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("the outbox waits for the database", because=f"{type(error).__name__} {error}")
            await asyncio.sleep(_AGAIN_SECONDS)
