"""What people write about an order."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from dom.shared.base import Value
from dom.shared.texts import visible
from dom.shared.urls import ShownUrl

MOST_LINKS: Final = 20


def _says_something(words: str) -> str:
    if not visible(words):
        raise ValueError("say something")
    return words


NoteText = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_says_something)]
"""What a note says; line breaks stay."""


class Attachment(Value):
    """A file or page that belongs to a note, by its address. The system keeps the address alone, and never opens it."""

    url: ShownUrl = Field(description="A full http or https address without a password, to be opened by people.")
    title: str = Field(default="", max_length=200, description="What it is called.")


Attachments = Annotated[tuple[Attachment, ...], Field(max_length=MOST_LINKS)]
"""The links of a note."""
