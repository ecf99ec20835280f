"""Notes, and messages that are sent once more, change nothing of the units."""

from typing import Any

import pytest
from pydantic import ValidationError

from dom.notifications.messages import Medium, MessageKind
from dom.orders.commands import AddNote, ResendMessage, ToldBefore
from dom.orders.notes import Attachment
from dom.orders.transitions import apply, decide
from dom.shared.errors import NotFound, StepNotPossible
from tests.worlds.commanding import AT, S, working


def told(**changes: Any) -> ToldBefore:
    known = {
        "kind": MessageKind.SHIPPED, "medium": Medium.MAIL, "message_key": "F1:handed_over",
        "context": {"fulfilment_id": "F1"}, "waits": False, "times": 0,
    }  # fmt: skip
    return ToldBefore.model_validate(known | changes)


def resend(known: ToldBefore | None) -> ResendMessage:
    return ResendMessage(message_id=7, actor="ada", at=AT, told=known)


class TestNote:
    @pytest.mark.parametrize("status", [S.RELEASED, S.DELIVERED, S.CANCELLED])
    def test_it_is_written_in_every_state(self, status: S) -> None:
        state = working(status, a=2)
        change = decide(state, AddNote(key="k", text="line one\nline two", actor="ada", at=AT, request="r"))
        assert apply(state, change) == state
        assert change.event.data.model_dump(exclude_none=True) == {"request": "r", "text": "line one\nline two"}

    @pytest.mark.parametrize("words", ["", " ", "\u200b\n", "x" * 4001])
    def test_one_that_says_nothing_or_too_much(self, words: str) -> None:
        with pytest.raises(ValidationError):
            AddNote(key="k", text=words, actor="ada", at=AT)

    @pytest.mark.parametrize(
        "url",
        ["javascript:alert(1)", "data:text/html,x", "ftp://files.example/x", "//files.example", "https://", "x",
         "https://ada:secret@files.example/x", "https://files.example/a b", "https://files.example/\u202egpj",
         " https://files.example", "http://files.example:99999/", f"https://files.example/{'x' * 2000}"],
    )  # fmt: skip
    def test_a_link_that_is_none_to_open(self, url: str) -> None:
        with pytest.raises(ValidationError):
            Attachment(url=url)

    def test_a_link(self) -> None:
        assert Attachment(url="https://files.example:8443/a?b=c#d").title == ""


class TestResent:
    def test_it_names_the_first_and_has_a_key_of_its_own(self) -> None:
        state = working(S.HANDED_OVER, a=2)
        change = decide(state, resend(told(times=2)))
        (only,) = change.notifications
        assert (only.kind, only.medium, only.message_key) == ("shipped", "mail", "F1:handed_over:resent:3")
        assert only.context == {"fulfilment_id": "F1", "resent": 7}
        assert apply(state, change) == state

    def test_one_that_waits_goes_out_by_itself(self) -> None:
        with pytest.raises(StepNotPossible):
            decide(working(S.HANDED_OVER, a=2), resend(told(waits=True)))

    def test_one_there_is_not(self) -> None:
        with pytest.raises(NotFound):
            decide(working(S.HANDED_OVER, a=2), resend(None))
