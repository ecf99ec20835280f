"""From YAML or JSON to a policy, or to what is wrong with it and where."""

from typing import Final

from dom.documents.findings import Mistake, error
from dom.documents.mistakes import DocumentWords
from dom.documents.reading import DocumentKind, DocumentReading
from dom.network import NodeKind
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.kinds import ANY

MOST_GROUPS: Final = 200
MOST_GROUPS_IN_GROUPS: Final = 1_000
Reading = DocumentReading[Policy]
"""What a text was read as."""

_PATTERNS: Final = {
    "^[a-z0-9][a-z0-9-]{0,59}$": "lower-case letters, digits and hyphens: close-to-the-customer",
    "^[A-Z]{3}$": "three capitals, as ISO 4217 has them: GBP",
    "^[A-Z]{2}$": "two capitals, as ISO 3166 has them: GB",
    "^[a-z][a-z0-9_]{0,39}$": "lower-case letters, digits and underscores: brand",
    "^[a-z][a-z0-9_]{1,30}$": "a channel's code: lower-case letters, digits and underscores",
    "^[a-z][a-z0-9-]*$": "a carrier's code: lower-case letters, digits and hyphens",
    "^[a-z0-9][a-z0-9-]*$": "a node's code: lower-case letters, digits and hyphens",
}


def _too_large(policy: Policy) -> Mistake | None:
    inner = sum(len(group.groups) for group in policy.groups.values())
    if len(policy.groups) <= MOST_GROUPS and inner <= MOST_GROUPS_IN_GROUPS:
        return None
    said = f"a policy may have {MOST_GROUPS} groups, and in them {MOST_GROUPS_IN_GROUPS:,} groups"
    return error("too-large", ("groups",), said, "name countries, regions and kinds instead of single nodes")


_KIND: Final = DocumentKind(
    Policy,
    DocumentWords("policy", _PATTERNS, (*NodeKind, ANY), {"strategies": "strategy"}),
    "begin with `name:` and `strategies:`; `dom ofl show` prints a whole one",
    _too_large,
)


def read(text: str) -> Reading:
    """Read a policy; every mistake that keeps it from being one has its line and column."""
    return _KIND.read(text)


def read_policy(text: str) -> Policy:
    """The policy in a text. ValueError, which names every mistake with its line, for what is none."""
    return read(text).get()
