"""From YAML or JSON to a policy, or to what is wrong with it and where."""

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.findings import Finding, Mistake, error, listed, written
from dom.sourcing.policy.mistakes import mistakes_of
from dom.sourcing.policy.places import PlacedText, TextPlace, Unreadable
from dom.sourcing.policy.text import read_text

MOST_FINDINGS: Final = 200
MOST_GROUPS: Final = 200
MOST_GROUPS_IN_GROUPS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text was read as: the policy (None where it is none), its places, and what is wrong with it so far."""

    policy: Policy | None
    placed: PlacedText
    findings: tuple[Finding, ...]


def read(text: str) -> Reading:
    """Read a policy; every mistake that keeps it from being one has its line and column."""
    try:
        placed = read_text(text)
    except Unreadable as refused:
        return Reading(None, PlacedText(text), (_finding(refused.mistake, refused.place),))
    policy, refused_by_model = _validated(placed.data)
    found = [_finding(mistake, place) for mistake, place in placed.mistakes]
    found += placed_findings(refused_by_model, placed)
    return Reading(policy, placed, tidy(found))


def read_policy(text: str) -> Policy:
    """The policy in a text. ValueError, which names every mistake with its line, for what is none."""
    reading = read(text)
    if reading.policy is None or reading.findings:
        raise ValueError(listed((f"line {each.line}: {each.message}" for each in reading.findings), MOST_FINDINGS))
    return reading.policy


def placed_findings(mistakes: list[Mistake], placed: PlacedText) -> list[Finding]:
    """The mistakes as findings, each with its line and column."""
    return [
        _finding(each, placed.key(each.path) if each.at_key else placed.at(each.path, each.offset)) for each in mistakes
    ]


def tidy(findings: list[Finding]) -> tuple[Finding, ...]:
    """In the order of the text, each mistake once (an alias repeats what stands at its anchor), and not too many."""
    kept: dict[tuple[str, int, int, str], Finding] = {}
    for each in sorted(findings, key=lambda each: (each.line, each.column)):
        kept.setdefault((each.code, each.line, each.column, each.message if each.line else each.path), each)
    return tuple(kept.values())[:MOST_FINDINGS]


def _validated(data: Any) -> tuple[Policy | None, list[Mistake]]:
    if not isinstance(data, dict):
        what = "empty" if data is None else "a list" if isinstance(data, list) else "one value"
        return None, [error("wrong-shape", (), f"a policy is a mapping of fields; this is {what}", _FIRST_LINES)]
    try:
        # As JSON and strictly: "250" is no number and 1 is not true, while lists and names become what the model has.
        policy = Policy.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as refused:
        return None, mistakes_of(refused, data)
    inner = sum(len(group.groups) for group in policy.groups.values())
    if len(policy.groups) > MOST_GROUPS or inner > MOST_GROUPS_IN_GROUPS:
        said = f"a policy may have {MOST_GROUPS} groups, and in them {MOST_GROUPS_IN_GROUPS:,} groups"
        return None, [
            error("too-large", ("groups",), said, "name countries, regions and kinds instead of single nodes")
        ]
    return policy, []


_FIRST_LINES: Final = "begin with `name:` and `strategies:`; `dom ofl show` prints a whole one"


def _finding(mistake: Mistake, place: TextPlace) -> Finding:
    return Finding(
        severity=mistake.severity,
        code=mistake.code,
        path=written(mistake.path),
        line=place.line,
        column=place.column,
        message=mistake.message,
        hint=mistake.hint,
    )
