"""The order in the store, from its process's side: it is asked to change, and read; its answer is all that is known."""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.changing import ChangeOrder, Changing, HeedReport, ReadOrder
    from dom.orders.commands import Command
    from dom.orders.order import Order
    from dom.orders.status import OrderStatus
    from dom.orders.views import FulfilmentView, Heeded, OrderAfter, OrderView
    from workflows.activity_calls import local
    from workflows.messages import CarrierReport, LineStanding, NodeReport, OrderStanding
    from workflows.order import asking
    from workflows.order.bookings import Bookings
    from workflows.order.sequence import OneAtATime
    from workflows.order.temporal_view import OrderBoard

_NOT_YET: Final = OrderView(status=OrderStatus.ACCEPTED, waiting={}, cancelled={}, fulfilments=())
"""An order of which nothing is known yet."""
_READ: Final = "Read from the store how the order stands"


class StoredOrder:
    """The order as its process last read it (`view`, and `order`, which edits change), once it `is_known`.
    `is_behind`: it was changed since.

    The store is asked one thing at a time, in the sequence of the messages that it follows from (`steps`).
    """

    def __init__(self, order: Order, board: OrderBoard) -> None:
        self.order_id = order.order_id
        self.view = _NOT_YET
        self.is_known = self.is_behind = False
        self.steps = OneAtATime()
        self.bookings = Bookings(self)
        self.order = order
        self._revision = 0
        self._board = board

    def received(self) -> int:
        """A message was received: its place in the sequence. Called when it comes."""
        return self.steps.received()

    def fulfilment(self, fulfilment_id: str) -> FulfilmentView | None:
        """A fulfilment of it."""
        return next((each for each in self.view.fulfilments if each.fulfilment_id == fulfilment_id), None)

    def take_in(self, view: OrderView) -> None:
        """Go by how the order stands: carriers are booked for what is packed, and what nobody needs is taken back."""
        self.view, self.is_known = view, True
        if view.order is not None:
            self.order, self._revision = view.order, view.revision
            self._board.edited(view.order)
        self.is_behind = self.is_behind or view.revision > self._revision
        self.bookings.follow(view)
        self._board.show(view)

    async def change(self, place: int, command: Command, summary: str) -> OrderAfter:
        """Have the store decide and write a command. Raises its refusal."""
        async with self.steps.step(place):
            answered = workflow.current_update_info() is not None
            request = ChangeOrder(order_id=self.order_id, command=command, answered=answered)
            changed: OrderAfter = await local(Changing.change_order, request, summary)
            self.take_in(changed.view)
        return changed

    async def heed(self, place: int, report: NodeReport | CarrierReport) -> None:
        """Have the store carry out what somebody reported. Raises its refusal."""
        what = str(report.step if isinstance(report, NodeReport) else report.kind)
        async with self.steps.step(place):
            request = HeedReport(order_id=self.order_id, report=asking.reported(report, request_at(place)))
            heeded: Heeded = await local(Changing.heed_report, request, f"{report.fulfilment_id}: {what}")
            if heeded.unexpected:
                self._board.note(f"report_out_of_turn: {report.fulfilment_id}, {what} by {report.actor}")
            self.take_in(heeded.view)

    async def read_again(self, place: int) -> None:
        """Read how the order stands. Where the store lost it, there is nothing to do until there is news."""
        while not await self._read(place):
            self._board.lost()
            await workflow.wait_condition(lambda: self.is_behind)

    async def _read(self, place: int) -> bool:
        async with self.steps.step(place):
            self.is_behind = False
            request, summary = (
                ReadOrder(order_id=self.order_id, revision=self._revision),
                "Read from the store how the order stands",
            )
            view: OrderView | None = await local(Changing.read_order, request, summary)
            if view is not None:
                self.take_in(view)
        return view is not None

    def standing(self, *, captured: bool) -> OrderStanding:
        """Where its process believes the order to stand, for who compares it with the store."""
        waiting, cancelled = self.view.waiting, self.view.cancelled
        return OrderStanding(
            captured=captured,
            status=self.view.status,
            lines={
                i: LineStanding(cancelled=cancelled.get(i, 0), backordered=waiting.get(i, 0))
                for i in [line.line_id for line in self.order.lines]
            },
            fulfilments={each.fulfilment_id: each.status for each in self.view.fulfilments},
        )


def run_id() -> str:
    """The run of the process."""
    return workflow.info().run_id


def request_at(place: int) -> str:
    """What tells a repeat of what is asked now: the id of an update, or the place of a signal in the sequence."""
    caller = workflow.current_update_info()
    return caller.id if caller is not None else f"{run_id()}:{place}"
