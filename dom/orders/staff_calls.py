"""What people ask of an order at the Temporal UI or CLI: the calls of its signals. What is refused is logged.

A new field needs a default: what was asked before is still read.
"""

from pydantic import Field

from dom.orders.calls import Reason, Request, StepLine
from dom.orders.notes import Attachments, NoteText
from dom.orders.order import Priority
from dom.shared.access import TEMPORAL
from dom.shared.base import GivenTime, NodeId, Text


class NoteCall(Request):
    """Write a note about the order."""

    text: NoteText
    links: Attachments = ()
    actor: Text = TEMPORAL


class PrioritiseCall(Request):
    """Give the order another priority for scarce stock, the lower the sooner; without one, its channel's."""

    priority: Priority | None = None
    reason: Reason = ""
    actor: Text = TEMPORAL


class FulfilmentCall(Request):
    """Say of a fulfilment what the signal's name says."""

    fulfilment_id: Text
    reason: Reason = ""
    actor: Text = TEMPORAL


class MoveCall(FulfilmentCall):
    """Move work that no node has begun to a node; without one, to any other."""

    node_id: NodeId | None = None


class SourceAgainCall(FulfilmentCall):
    """Take work that no node has begun from its node, and source its units anew; on request without the node."""

    without_node: bool = False


class KeepCall(FulfilmentCall):
    """Keep goods that wait for their customer until then."""

    until: GivenTime


class SplitCall(FulfilmentCall):
    """Make units of work, by line, a fulfilment of their own."""

    lines: tuple[StepLine, ...] = Field(min_length=1, max_length=1000)


class MergeCall(FulfilmentCall):
    """Make this work and other work of the node (`merged`) one fulfilment."""

    merged: Text


class ResendCall(Request):
    """Send a message of the order once more, by its id."""

    message_id: int = Field(gt=0, lt=2**63)
    reason: Reason = ""
    actor: Text = TEMPORAL
