"""What people read in the Temporal UI is said in words."""

import pytest

from workflows.words import counted, in_words, listed


@pytest.mark.parametrize(
    ("occasion", "words"),
    [
        ("accepted", "accepted"),
        ("web-7-F1:handed_over", "web-7-F1 handed over"),
        ("sourced:2", "what waits for stock"),
        ("cancelled:1", "what was cancelled"),
        ("sourced_7-F1:delivered", "sourced_7-F1 delivered"),
    ],
)
def test_what_a_message_tells(occasion: str, words: str) -> None:
    assert in_words(occasion) == words


def test_one_is_no_plural() -> None:
    assert [counted(n, "unit") for n in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]


def test_two_lists_are_told_apart_by_their_titles() -> None:
    assert listed("Lines", ["line 1"]) == "**Lines**\n\n- line 1"
    assert listed("Inspection", []) == ""
