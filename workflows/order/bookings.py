"""The carriers' bookings of an order: made for what is packed, and taken back where nobody needs them any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.shipping import Shipping
    from dom.fulfilment.packing import Interception, Packing
    from dom.orders.commands import BookCarrierRefused
    from dom.orders.views import FulfilmentView, OrderView
    from dom.shared import ids
    from workflows.activity_calls import REFUSALS, remote
    from workflows.order.interface import OrderProcess
    from workflows.order.sequence import BEFORE_ALL


class Bookings:
    """Follows what the store says of each fulfilment. A booking is begun once, and taken back once, by its number: one
    that nobody needs any more is never needed again.
    """

    def __init__(self, order: OrderProcess) -> None:
        self._order = order
        self._made: dict[str, asyncio.Task[None]] = {}
        self._taken_back: dict[str, asyncio.Task[None]] = {}
        self._intercepted: dict[str, asyncio.Task[None]] = {}
        self.are_put_aside = False

    def follow(self, view: OrderView) -> None:
        """Begin what is to be done of an order that stands so."""
        for each in view.fulfilments:
            if each.book is not None:
                self._begin(self._made, each, each.book, self._book(each, each.book))
            for attempt in each.void:
                self._begin(self._taken_back, each, attempt, self._take_back(each, attempt))
            asked = each.intercept
            if asked is not None and asked not in self._intercepted and not self.are_put_aside:
                self._intercepted[asked] = asyncio.create_task(self._intercept(each, asked))

    async def put_aside(self) -> None:
        """Stop what is under way between two attempts; an attempt that runs is waited for.

        This run begins nothing more: the next one reads in the store what is to be done, and does it under the same
        keys.
        """
        self.are_put_aside = True
        await workflow.wait_condition(lambda: self.at_rest)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way."""
        return all(task.done() for task in self._tasks)

    @property
    def failed(self) -> bool:
        """Whether something went wrong that no attempt mends."""
        return any(task.done() and not task.cancelled() and task.exception() is not None for task in self._tasks)

    def settle(self) -> None:
        """What went wrong must not stay unheard: it is raised."""
        for task in self._tasks:
            if task.done():
                task.result()

    @property
    def _tasks(self) -> list[asyncio.Task[None]]:
        return [*self._made.values(), *self._taken_back.values(), *self._intercepted.values()]

    def _begin(
        self,
        tasks: dict[str, asyncio.Task[None]],
        fulfilment: FulfilmentView,
        attempt: int,
        work: Coroutine[Any, Any, None],
    ) -> None:
        key = ids.booking_key(fulfilment.fulfilment_id, attempt)
        if key in tasks or self.are_put_aside:
            work.close()
        else:
            tasks[key] = asyncio.create_task(work)

    async def _book(self, fulfilment: FulfilmentView, attempt: int) -> None:
        """Book the carrier. A refused booking goes back to sourcing; one not waited for any more is cancelled."""
        booking = remote(
            Shipping.book_carrier,
            self._packing(fulfilment, attempt),
            f"Book the carrier for {fulfilment.fulfilment_id} at {fulfilment.node_id}",
        )
        await workflow.wait_condition(
            lambda: booking.done() or self.are_put_aside or not self._is_waited_for(fulfilment, attempt)
        )
        if not booking.done():
            booking.cancel()
        try:
            await booking
        except asyncio.CancelledError:
            self._was_put_aside(self._made, fulfilment, attempt)
        except ActivityError as error:
            if is_cancelled_exception(error) and self._was_put_aside(self._made, fulfilment, attempt):
                return
            await self._refused(fulfilment, attempt, str(error.cause))
        else:
            await self._order.read_again(BEFORE_ALL)

    def _is_waited_for(self, fulfilment: FulfilmentView, attempt: int) -> bool:
        now = self._order.fulfilment(fulfilment.fulfilment_id)
        return now is not None and now.book == attempt

    async def _refused(self, fulfilment: FulfilmentView, attempt: int, reason: str) -> None:
        command = BookCarrierRefused(
            fulfilment_id=fulfilment.fulfilment_id,
            attempt=attempt,
            reason=reason,
            at=workflow.now(),
            request=f"{ids.booking_key(fulfilment.fulfilment_id, attempt)}:refused",
        )
        try:
            await self._order.change(BEFORE_ALL, command, f"{fulfilment.fulfilment_id}: the carrier refused it")
        except REFUSALS:  # cancelled, or packed anew meanwhile
            await self._order.read_again(BEFORE_ALL)

    async def _take_back(self, fulfilment: FulfilmentView, attempt: int) -> None:
        """Compensation of the booking: repeated until it succeeds, harmless for one that was never made."""
        made = self._made.get(ids.booking_key(fulfilment.fulfilment_id, attempt))
        if made is not None:
            await workflow.wait_condition(made.done)
        taking = remote(
            Shipping.void_booking,
            self._packing(fulfilment, attempt),
            f"Take the booking of {fulfilment.fulfilment_id} back",
        )
        await workflow.wait_condition(lambda: taking.done() or self.are_put_aside)
        if not taking.done():
            taking.cancel()
        try:
            await taking
        except (asyncio.CancelledError, ActivityError) as error:
            if not (is_cancelled_exception(error) and self._was_put_aside(self._taken_back, fulfilment, attempt)):
                raise

    async def _intercept(self, fulfilment: FulfilmentView, request_id: str) -> None:
        """Ask the carrier to bring a parcel back, while that is wanted; what comes of it, its reports say."""
        order_id, fulfilment_id = self._order.order_id, fulfilment.fulfilment_id
        asking = remote(
            Shipping.intercept_parcel,
            Interception(order_id=order_id, fulfilment_id=fulfilment_id, request_id=request_id),
            f"Ask the carrier to bring {fulfilment_id} back",
        )

        def is_wanted() -> bool:
            now = self._order.fulfilment(fulfilment_id)
            return now is not None and now.intercept == request_id

        await workflow.wait_condition(lambda: asking.done() or self.are_put_aside or not is_wanted())
        if not asking.done():
            asking.cancel()
        try:
            is_asked = await asking
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            if self.are_put_aside:
                del self._intercepted[request_id]
            return
        if not is_asked:
            await self._order.read_again(BEFORE_ALL)

    def _was_put_aside(self, tasks: dict[str, asyncio.Task[None]], fulfilment: FulfilmentView, attempt: int) -> bool:
        """Whether what was cancelled is to be begun again; it is then known no more."""
        if self.are_put_aside:
            del tasks[ids.booking_key(fulfilment.fulfilment_id, attempt)]
        return self.are_put_aside

    def _packing(self, fulfilment: FulfilmentView, attempt: int) -> Packing:
        return Packing(order_id=self._order.order_id, fulfilment_id=fulfilment.fulfilment_id, attempt=attempt)
