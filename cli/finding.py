"""One thing the doctor looked at, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec

from cli.problems import StartProblem

P = ParamSpec("P")


class CheckVerdict(StrEnum):
    """How a finding bears on a start."""

    FINE = "fine"
    NOTE = "note"
    NOT_RUNNING = "not running"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One thing that was looked at, and what was seen."""

    what: str
    verdict: CheckVerdict
    words: str


def finding_of(what: str, words: Callable[[], str]) -> DoctorFinding:
    """What `words` says; a StartProblem it raises blocks."""
    try:
        return DoctorFinding(what, CheckVerdict.FINE, words())
    except StartProblem as problem:
        return DoctorFinding(what, CheckVerdict.BLOCKS, str(problem))


def checked(what: str, fine: str, check: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> DoctorFinding:
    """`fine`, unless the check raises a StartProblem, which blocks."""
    try:
        check(*arguments, **named)
    except StartProblem as problem:
        return DoctorFinding(what, CheckVerdict.BLOCKS, str(problem))
    return DoctorFinding(what, CheckVerdict.FINE, fine)
