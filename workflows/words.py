"""Counts, lists and messages in words, for people who read the Temporal UI."""

from collections.abc import Sequence

_NUMBERED = {"sourced": "what waits for stock", "cancelled": "what was cancelled"}


def counted(number: int, what: str) -> str:
    """A number of things in words: `1 unit`, `2 units`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def in_words(occasion: str) -> str:
    """What a message tells, by the occasion it was written for: `web-7-F1 handed over`, `what waits for stock`."""
    about, _, step = occasion.rpartition(":")
    if about in _NUMBERED:
        return _NUMBERED[about]
    return f"{about} {step.replace('_', ' ')}".strip()


def listed(title: str, items: Sequence[str]) -> str:
    """Items as a Markdown list under its title; empty if there are none."""
    if not items:
        return ""
    rows = "\n".join(f"- {item}" for item in items)
    return f"**{title}**\n\n{rows}" if title else rows
