"""Units held for a cart or a checkout: planned like an order, taken softly, whole or not at all.

An owner has one reservation in a channel. Who asks again gets another one for it, in one transaction, and what he holds
until then is free for him.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared import ids
from dom.shared.errors import Conflict, NotFound, ReservationEnded, StockConflict
from services.clock import utc_now
from services.reservation_planning import ReservationOutcome, SoftReservationRequest, given_for, outcome_of
from store.database.engine import reading
from store.enums import SoftStatus
from store.network.reference import ReferenceCache
from store.stock import soft
from store.stock.grouped import ReservationQueue
from store.stock.soft import ReservationVerdict, SoftRequest

ATTEMPTS: Final = 8
"""How often units are planned again because others took them between the snapshot and the reservation."""


@dataclass(frozen=True, slots=True)
class SoftReservations:
    """Soft reservations for a process. Requests that wait at the same time share a statement."""

    engine: AsyncEngine
    reference: ReferenceCache
    now: Callable[[], datetime] = utc_now
    _reads: AsyncEngine = field(init=False)
    _queue: ReservationQueue = field(init=False)

    def __post_init__(self) -> None:
        """Derive the engine for single statements, and the one queue of this process."""
        object.__setattr__(self, "_reads", reading(self.engine))
        object.__setattr__(self, "_queue", ReservationQueue(self.engine))

    async def reserve(self, wanted: SoftReservationRequest, key: str | None = None) -> tuple[RowMapping, bool]:
        """The reservation, and whether it was made now; the same key of the same owner makes it once.

        Whatever the owner held in the channel is given back with it. Raises StockConflict with what is available by
        line, and then nothing changed; Conflict if the key stands for another request; UnknownSku, UnknownNode.
        """
        soft_id = ids.reservation_id(wanted.channel, wanted.owner, key or uuid4().hex)
        if key is not None and (known := await self._find(soft_id)):
            return _same(known, wanted), False
        for _ in range(ATTEMPTS):
            verdict = await self._try(soft_id, wanted)
            if verdict in {ReservationVerdict.TAKEN, ReservationVerdict.REPEATED}:
                return _same(await self.get(soft_id), wanted), verdict is ReservationVerdict.TAKEN
        raise StockConflict("others took the units each time they were planned; ask again")

    async def get(self, soft_id: str) -> RowMapping:
        """The reservation as it stands, with its units. Raises NotFound."""
        found = await self._find(soft_id)
        if found is None:
            raise NotFound(f"there is no reservation {soft_id}")
        return found

    async def outcome(self, found: RowMapping) -> ReservationOutcome:
        """What a reservation comes to if it is ordered now; of one that ended, what was promised when it was made."""
        document = found["document"]
        if found["status"] != SoftStatus.ACTIVE or "asked" not in document:
            return ReservationOutcome(document.get("promise"))
        async with self._reads.connect() as connection:
            return await outcome_of(
                connection, self.reference, SoftReservationRequest.of(document["asked"]), found["id"], at=self.now()
            )

    async def extend(self, soft_id: str, seconds: int) -> RowMapping:
        """Hold the units for so many seconds from now, never for less than before.

        Raises NotFound, and ReservationEnded for one that lapsed, was released or became an order.
        """
        async with self._reads.connect() as connection:
            until = await soft.extend(connection, soft_id, seconds)
        found = await self.get(soft_id)
        if until is None:
            ended = SoftStatus.EXPIRED if found["status"] == SoftStatus.ACTIVE else found["status"]
            raise ReservationEnded(f"reservation {soft_id} is {ended}", data={"status": ended})
        return found

    async def release(self, soft_id: str) -> RowMapping:
        """Give the units back; one that has ended already stays as it is. Raises NotFound."""
        found = await self.get(soft_id)
        async with self._reads.connect() as connection:
            await soft.release(connection, soft_id, reason="released", actor=f"{found['channel']}/{found['owner']}")
        return await self.get(soft_id)

    async def _find(self, soft_id: str) -> RowMapping | None:
        async with self._reads.connect() as connection:
            return await soft.get(connection, soft_id)

    async def _try(self, soft_id: str, wanted: SoftReservationRequest) -> ReservationVerdict:
        async with self._reads.connect() as connection:
            old = await soft.of_owner(connection, wanted.channel, wanted.owner)
            try:
                request = None if old else await self._planned(connection, soft_id, wanted)
            except StockConflict:
                if await soft.of_owner(connection, wanted.channel, wanted.owner) is None:
                    raise
                return ReservationVerdict.OWNER_BUSY  # he took them himself, by a request at the same time
        try:
            return await self._queue.take(request) if request else await self._replace(soft_id, wanted)
        except IntegrityError:  # the same id or owner at the same moment, in another process: look again
            return ReservationVerdict.OWNER_BUSY

    async def _replace(self, soft_id: str, wanted: SoftReservationRequest) -> ReservationVerdict:
        async with self.engine.connect() as connection:
            await soft.one_at_a_time(connection, wanted.channel, wanted.owner)
            old = await soft.of_owner(connection, wanted.channel, wanted.owner)
            if old is None or old == soft_id:
                return ReservationVerdict.REPEATED if old else ReservationVerdict.CROWDED
            verdict = await soft.replace(connection, old, await self._planned(connection, soft_id, wanted, old))
            if verdict is ReservationVerdict.TAKEN:
                await connection.commit()
            return verdict

    async def _planned(
        self, connection: AsyncConnection, soft_id: str, wanted: SoftReservationRequest, own: str | None = None
    ) -> SoftRequest:
        given = await given_for(connection, self.reference, wanted, soft_id, at=self.now(), own=own)
        document = {"content_hash": wanted.content_hash(), "promise": given.promise, "asked": asdict(wanted)}
        return SoftRequest(soft_id, wanted.channel, wanted.owner, wanted.reason, wanted.seconds, given.units, document)


def _same(found: RowMapping, wanted: SoftReservationRequest) -> RowMapping:
    if found["document"]["content_hash"] != wanted.content_hash():
        raise Conflict("the Idempotency-Key stands for another request", data={"reservation_id": found["id"]})
    return found
