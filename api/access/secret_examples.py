"""Examples of secrets that carriers sign with."""

from typing import Final

from api.contract.example import Example

SECRET_REQUESTS: Final[dict[str, Example]] = {"messages of a carrier are to be signed": {"carrier": "swiftmail"}}
SECRET_ROTATIONS: Final[dict[str, Example]] = {
    "the old one counts for an hour more": {"overlap_seconds": 3600},
    "the old one was stolen": {"overlap_seconds": 0},
}
SIGNING_SECRET: Final[Example] = {
    "id": "7c1d2e3f4a5b",
    "carrier": "swiftmail",
    "created_by": "R. Osei",
    "created_at": "2026-03-02T10:15:00Z",
    "expires_at": None,
    "revoked_at": None,
    "revoked_by": None,
    "last_used_at": "2026-03-02T11:00:00Z",
    "rotated_from": None,
}
NEW_SIGNING_SECRET: Final[Example] = {**SIGNING_SECRET, "last_used_at": None, "secret": "whsec_dGhpcyBvbmNl"}
REVOKED_SIGNING_SECRET: Final[Example] = {
    **SIGNING_SECRET,
    "revoked_at": "2026-03-02T12:00:00Z",
    "revoked_by": "R. Osei",
}
SIGNING_SECRET_LIST: Final[Example] = {"items": [SIGNING_SECRET], "next_cursor": None}
