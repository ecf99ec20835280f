"""What can go wrong before anything runs, each as one line that says what to do."""

from __future__ import annotations


class StartProblem(Exception):
    """Something stands in the way of a start; shown as one line, without a traceback.

    `what` says what is wrong, `what_to_do` what the reader does about it; neither ends with a full stop.
    """

    def __init__(self, what: str, what_to_do: str) -> None:
        super().__init__(f"{what}. {what_to_do[:1].upper()}{what_to_do[1:]}.")
        self.what = what
        self.what_to_do = what_to_do
