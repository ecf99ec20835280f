"""The OFL policy: versions, drafts, findings and differences."""

from typing import Any, Final

from api.contract.example import Example

POLICY_TEXT: Final = """\
name: two strategies
currency: GBP
strategies:
  - name: express
    match: {services: [express]}
    fences: {leaves_within_days: 1}   # today or tomorrow
    on_none: {relax: [leaves_in_time]}
  - name: everything-else
    cost: {split_penalty: 300}
"""
POLICY_DOCUMENT: Final[Example] = {
    "name": "two strategies",
    "currency": "GBP",
    "strategies": [
        {
            "name": "express",
            "match": {"services": ["express"]},
            "fences": {"leaves_within_days": 1},
            "on_none": {"relax": ["leaves_in_time"]},
        },
        {"name": "everything-else", "cost": {"split_penalty": 300}},
    ],
}
POLICY_VERSION: Final[Example] = {
    "version": 7,
    "name": "two strategies",
    "live": True,
    "comment": "fewer parcels before Christmas",
    "restores": None,
    "published_by": "ada",
    "published_at": "2026-03-02T09:26:00Z",
}
POLICY_VERSIONS: Final[Example] = {"items": [POLICY_VERSION], "next_cursor": None}
POLICY: Final[Example] = {**POLICY_VERSION, "document": POLICY_DOCUMENT, "source": POLICY_TEXT}
FINDING: Final[Example] = {
    "severity": "warning",
    "code": "relax-without-fence",
    "path": "strategies[0].on_none.relax[0]",
    "line": 7,
    "column": 24,
    "message": "this strategy sets no fence network",
    "hint": "take it out; set are leaves_in_time",
}
POLICY_CHECKED: Final[Example] = {"valid": True, "findings": [FINDING]}
POLICY_PUBLISHED: Final[Example] = {"version": 7, "name": "two strategies", "published": True, "findings": []}
POLICY_RESTORED: Final[Example] = {"version": 8, "name": "default", "published": True, "findings": []}
POLICY_DIFFERENCE: Final[dict[str, Any]] = {
    "from": "live",
    "to": "draft:cheaper-splits",
    "changes": [
        {
            "kind": "changed",
            "strategy": "everything-else",
            "path": "strategies[1].cost.split_penalty",
            "before": 300,
            "after": 150,
            "words": "everything-else: split_penalty goes from 300 to 150",
        }
    ],
}
POLICY_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "OFL policy",
    "type": "object",
    "required": ["name", "strategies"],
}
DRAFT_HEAD: Final[Example] = {
    "name": "cheaper-splits",
    "revision": 2,
    "based_on": 7,
    "comment": "what if a split cost half",
    "created_by": "ada",
    "created_at": "2026-03-02T10:00:00Z",
    "updated_by": "ben",
    "updated_at": "2026-03-02T11:30:00Z",
}
DRAFTS: Final[Example] = {"items": [DRAFT_HEAD], "next_cursor": None}
DRAFT: Final[Example] = {**DRAFT_HEAD, "document": POLICY_DOCUMENT, "source": POLICY_TEXT, "findings": []}
