"""Counts and lists in words, for people who read the Temporal UI."""

from collections.abc import Sequence


def counted(number: int, what: str) -> str:
    """A number of things in words: `1 unit`, `2 units`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def listed(title: str, items: Sequence[str]) -> str:
    """Items as a Markdown list under its title; empty if there are none."""
    if not items:
        return ""
    rows = "\n".join(f"- {item}" for item in items)
    return f"**{title}**\n\n{rows}" if title else rows
