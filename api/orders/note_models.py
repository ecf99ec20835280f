"""Notes of orders."""

from pydantic import BaseModel, Field

from dom.orders.calls import Request
from dom.orders.notes import Attachments, NoteText
from dom.shared.base import Utc


class NoteRequest(Request):
    """What is to be written about the order."""

    text: NoteText = Field(description="The note; line breaks stay.")
    links: Attachments = Field(default=(), description="Files and pages that belong to it, by their address.")


class NoteLink(BaseModel):
    """A file or page that belongs to a note."""

    url: str = Field(description="An http or https address, as it was given; nobody has looked whether it leads on.")
    title: str = Field(description="What it is called; empty: nobody said.")


class OrderNote(BaseModel):
    """What somebody wrote about the order."""

    id: int = Field(description="The number of its event in the timeline.")
    text: str = Field(description="The note.")
    links: list[NoteLink] = Field(description="Files and pages that belong to it.")
    author: str = Field(description="The name of the caller who wrote it.")
    written_at: Utc = Field(description="When, in UTC.")


class OrderNotes(BaseModel):
    """The notes of an order, oldest first."""

    order_id: str
    notes: list[OrderNote] = Field(description="Oldest first.")
