"""What people read in the Temporal UI is said in words."""

from workflows.words import counted, listed


def test_one_is_no_plural() -> None:
    assert [counted(n, "unit") for n in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]


def test_two_lists_are_told_apart_by_their_titles() -> None:
    assert listed("Lines", ["line 1"]) == "**Lines**\n\n- line 1"
    assert listed("Inspection", []) == ""
