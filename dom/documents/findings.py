"""What is found wrong with a document that people write, where, and how to mend it."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, TypeVar

from pydantic import Field

from dom.shared.base import Value
from dom.shared.errors import DomError
from dom.shared.texts import keepable

MOST_NAMED: Final = 3
"""Mistakes that an error names by itself."""
E = TypeVar("E", bound=DomError)
Path = tuple[str | int, ...]
"""A place in the document: ("strategies", 0, "fences", "nodes", 1)."""


class Severity(StrEnum):
    """An error keeps a document from being published; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Value):
    """A mistake: `path` is its place in the document, `line` and `column` that in the text it was read from."""

    severity: Severity
    code: str = Field(description="Stable; decide by it, never by the text.", examples=["unknown-node"])
    path: str = Field(description="Where in the document.", examples=["strategies[0].fences.nodes[1]"])
    line: int = Field(default=0, description="Where in the text, from 1; 0 where there is no text.")
    column: int = Field(default=0, description="From 1; 0 where there is no text.")
    message: str
    hint: str = Field(default="", description="A way to mend it.")


class Mistake(Value):
    """A mistake before its place in the text is known.

    `offset` counts characters into the value at the path; `at_key` says that its name is wrong, not its value.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    offset: int | None = None
    at_key: bool = False


def error(code: str, path: Path, message: str, hint: str = "", offset: int | None = None) -> Mistake:
    """A mistake that keeps the document from being published."""
    return Mistake(code=code, path=_kept(path), message=keepable(message), hint=keepable(hint), offset=offset)


def warning(code: str, path: Path, message: str, hint: str = "") -> Mistake:
    """A mistake that does no harm, or may be meant."""
    return Mistake(
        code=code, path=_kept(path), message=keepable(message), hint=keepable(hint), severity=Severity.WARNING
    )


def _kept(path: Path) -> Path:
    """A place as it can be said: keys are what the writer likes, and may hold what no text keeps."""
    return tuple([keepable(step) if isinstance(step, str) else step for step in path])


def written(path: Sequence[str | int]) -> str:
    """A path as people write it: `strategies[0].fences.nodes[1]`; empty for the document itself."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names what was probably meant: the known name that is closest, else those there are."""
    names = sorted(set(known))
    folded = name.casefold()
    by_folded = {each.casefold(): each for each in names}
    close = [each for each in by_folded if sorted(each) == sorted(folded)]
    close = close or get_close_matches(folded, by_folded, n=1, cutoff=0.7)
    if close:
        return f"did you mean {by_folded[close[0]]}?"
    return otherwise or (f"there are {listed(names)}" if names else "there are none")


MOST_LISTED = 12


def listed(names: Iterable[str], most: int = MOST_LISTED) -> str:
    """Names in a row, not too many of them."""
    all_of_them = list(names)
    more = len(all_of_them) - most
    return ", ".join(all_of_them[:most]) + (f" and {more} more" if more > 0 else "")


def refused(findings: Sequence[Finding], as_: type[E]) -> E:
    """The error that says what is wrong with a document; its `data` holds every finding."""
    errors = [each for each in findings if each.severity is Severity.ERROR]
    named = "; ".join(f"line {each.line}: {each.message}" for each in errors[:MOST_NAMED])
    more = f"; and {len(errors) - MOST_NAMED} more" if len(errors) > MOST_NAMED else ""
    field = errors[0].path or None if errors else None
    return as_(named + more, field=field, data={"findings": [each.model_dump(mode="json") for each in findings]})


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of them keeps the document from being published."""
    return any(finding.severity is Severity.ERROR for finding in findings)
