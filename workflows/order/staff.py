"""What people ask of an order's process at the Temporal UI or CLI: signals, whose refusals are logged.

The API does the same in the store itself, and has the process told.
"""

from abc import ABC, abstractmethod
from typing import Literal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.orders.commands import (
        AddNote,
        Command,
        MergeWork,
        MoveParcel,
        MoveWork,
        Prioritise,
        ResendMessage,
        Reship,
        SourceWorkAgain,
        SplitWork,
    )
    from dom.orders.pickup_commands import KeepForCollection
    from dom.orders.staff_calls import (
        FulfilmentCall,
        KeepCall,
        MergeCall,
        MoveCall,
        NoteCall,
        PrioritiseCall,
        ResendCall,
        SourceAgainCall,
        SplitCall,
    )
    from dom.orders.status import FulfilmentStatus
    from workflows.activity_calls import REFUSALS
    from workflows.order.stored import StoredOrder, request_at


class StaffRequests(ABC):
    """The signals of staff. Each is one command to the store."""

    _stored: StoredOrder

    @abstractmethod
    async def _decided(self) -> int:
        """Wait until the order is accepted; answers the caller's place in the sequence. Raises the refusal."""

    @workflow.signal
    async def note_requested(self, call: NoteCall) -> None:
        """Write a note about the order."""
        command = AddNote(key="", text=call.text, links=call.links, actor=call.actor, at=workflow.now())
        await self._carry_out(command, "Note")

    @workflow.signal
    async def prioritise_requested(self, call: PrioritiseCall) -> None:
        """Give the order another priority for scarce stock."""
        told = {"actor": call.actor, "reason": call.reason, "at": workflow.now()}
        await self._carry_out(Prioritise(key="", priority=call.priority, **told), "Prioritise")

    @workflow.signal
    async def resend_requested(self, call: ResendCall) -> None:
        """Send a message of the order once more."""
        command = ResendMessage(message_id=call.message_id, actor=call.actor, at=workflow.now(), reason=call.reason)
        await self._carry_out(command, f"Send message {call.message_id} again")

    @workflow.signal
    async def lost_requested(self, call: FulfilmentCall) -> None:
        """A parcel is lost: its units are sourced again."""
        await self._carry_out(_parcel(call, FulfilmentStatus.LOST), f"{call.fulfilment_id} is lost")

    @workflow.signal
    async def delivered_requested(self, call: FulfilmentCall) -> None:
        """A parcel has reached the customer."""
        await self._carry_out(_parcel(call, FulfilmentStatus.DELIVERED), f"{call.fulfilment_id} is delivered")

    @workflow.signal
    async def receive_at_store_requested(self, call: FulfilmentCall) -> None:
        """A store has received the goods that a carrier brings it."""
        command = _parcel(call, FulfilmentStatus.DELIVERED).model_copy(update={"at_store": True})
        await self._carry_out(command, f"{call.fulfilment_id} is received at its store")

    @workflow.signal
    async def reship_requested(self, call: FulfilmentCall) -> None:
        """Send the units of a parcel that came back once more."""
        told = {"fulfilment_id": call.fulfilment_id, "actor": call.actor, "reason": call.reason}
        await self._carry_out(Reship(**told, at=workflow.now()), f"Send {call.fulfilment_id} once more")

    @workflow.signal
    async def move_requested(self, call: MoveCall) -> None:
        """Move work that no node has begun to another node."""
        told = {"fulfilment_id": call.fulfilment_id, "node_id": call.node_id, "actor": call.actor}
        command = MoveWork(**told, at=workflow.now(), reason=call.reason)
        await self._carry_out(command, f"Move {call.fulfilment_id} to {call.node_id or 'another node'}")

    @workflow.signal
    async def source_again_requested(self, call: SourceAgainCall) -> None:
        """Take work that no node has begun from its node, and source its units anew."""
        told = {"fulfilment_id": call.fulfilment_id, "without_node": call.without_node, "actor": call.actor}
        command = SourceWorkAgain(**told, at=workflow.now(), reason=call.reason)
        await self._carry_out(command, f"Source {call.fulfilment_id} again")

    @workflow.signal
    async def keep_requested(self, call: KeepCall) -> None:
        """Keep goods that wait for their customer longer."""
        told = {"fulfilment_id": call.fulfilment_id, "actor": call.actor, "reason": call.reason}
        command = KeepForCollection(**told, until=call.until, at=workflow.now())
        await self._carry_out(command, f"Keep {call.fulfilment_id} until {call.until}")

    @workflow.signal
    async def split_requested(self, call: SplitCall) -> None:
        """Make units of work that no node has begun a fulfilment of their own."""
        lines = {line.line_id: line.quantity for line in call.lines if line.quantity}
        if lines:
            told = {"fulfilment_id": call.fulfilment_id, "actor": call.actor, "reason": call.reason}
            command = SplitWork(**told, lines=lines, at=workflow.now())
            await self._carry_out(command, f"Split {call.fulfilment_id}")

    @workflow.signal
    async def merge_requested(self, call: MergeCall) -> None:
        """Make two fulfilments of a node, of which it has begun neither, one."""
        told = {"fulfilment_id": call.fulfilment_id, "merged": call.merged, "actor": call.actor}
        command = MergeWork(**told, at=workflow.now(), reason=call.reason)
        await self._carry_out(command, f"Merge {call.fulfilment_id} and {call.merged}")

    async def _carry_out(self, command: Command, summary: str) -> None:
        try:
            place = await self._decided()
            request = request_at(place)
            told = {"request": request}
            if isinstance(command, AddNote | Prioritise):
                told["key"] = request
            await self._stored.change(place, command.model_copy(update=told), summary)
        except REFUSALS as error:
            workflow.logger.warning("not done: %s: %s", summary, error)


def _parcel(call: FulfilmentCall, status: Literal[FulfilmentStatus.LOST, FulfilmentStatus.DELIVERED]) -> MoveParcel:
    return MoveParcel(
        fulfilment_id=call.fulfilment_id, status=status, actor=call.actor, at=workflow.now(), reason=call.reason
    )
