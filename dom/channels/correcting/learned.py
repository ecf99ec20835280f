"""Rules that people made of repairs: what stood in a field of a channel, and what is meant by it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.correcting.texts import tidied
from dom.channels.corrections import LEARNED, SURE
from dom.channels.faults import MessageFault
from dom.channels.mapping import paths

_LONGEST: Final = 200
"""Characters of a value that a rule can be about."""


@dataclass(frozen=True, slots=True)
class LearnedRule:
    """In place of `before` in a field of this pattern (`lines[*].sku`) stands `after`; None: nothing."""

    id: int
    field: str
    before: str
    after: Any


def values(order: Any, faults: Sequence[MessageFault]) -> frozenset[str]:
    """Everything that rules of the channel could be about: what stands in an order, as it came and with its texts
    tidied, and what could not be read. Rules about other values need not be looked up.
    """
    found = [fault.value for fault in faults]
    _collect(order, found)
    return frozenset({each.strip() for text in found for each in (text, tidied(text)) if len(text) <= _LONGEST})


def _collect(part: Any, found: list[str]) -> None:
    if isinstance(part, Mapping):
        for each in part.values():
            _collect(each, found)
    elif isinstance(part, list | tuple):
        for each in part:
            _collect(each, found)
    elif isinstance(part, str | int):
        found.append(str(part))


def pattern_of(field: str) -> str:
    """The pattern of a field: the same field of every line."""
    return re.sub(r"\[\d+\]", "[*]", field)


def places(order: Any, pattern: str) -> Iterator[str]:
    """Fields of an order that a pattern names."""
    head, star, tail = pattern.partition("[*]")
    if not star:
        yield pattern
        return
    items = paths.at(order, head)
    for index, _ in enumerate(items if isinstance(items, list | tuple) else ()):
        yield f"{head}[{index}]{tail}"


def matching(order: Any, rule: LearnedRule) -> Iterator[str]:
    """Fields of an order in which a rule finds what it is about, blanks around it aside."""
    for field in places(order, rule.field):
        found = paths.at(order, field)
        if isinstance(found, str | int) and str(found).strip() == rule.before:
            yield field


def learned(case: CorrectionCase, rules: Sequence[LearnedRule]) -> Iterator[CorrectionFinding]:
    """What live rules of the channel change; also where the mapping could make nothing of what stood there."""
    for rule in rules:
        unread = [
            fault.field
            for fault in case.faults
            if pattern_of(fault.field) == rule.field and fault.value.strip() == rule.before
        ]
        for field in dict.fromkeys([*matching(case.order, rule), *unread]):
            yield CorrectionFinding(field, rule.after, SURE, "a rule of the channel", f"{LEARNED}{rule.id}")
