"""Rules that people made of repairs: what stood in a field of a channel, and what is meant by it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dom.channels.correcting.case import CorrectionCase, CorrectionFinding
from dom.channels.corrections import LEARNED, SURE
from dom.channels.mapping import paths


@dataclass(frozen=True, slots=True)
class LearnedRule:
    """In place of `before` in a field of this pattern (`lines[*].sku`) stands `after`; None: nothing."""

    id: int
    field: str
    before: str
    after: Any


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
    """What live rules of the channel change."""
    for rule in rules:
        for field in matching(case.order, rule):
            yield CorrectionFinding(field, rule.after, SURE, "a rule of the channel", f"{LEARNED}{rule.id}")
