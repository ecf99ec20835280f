"""Examples of secrets that carriers sign with."""

from typing import Final

from api.access.examples import CREDENTIAL, NEW, REVOKED
from api.contract.example import Example

SECRET_REQUESTS: Final[dict[str, Example]] = {"messages of a carrier are to be signed": {"carrier": "swiftmail"}}
SECRET_ROTATIONS: Final[dict[str, Example]] = {
    "the old one counts for an hour more": {"overlap_seconds": 3600},
    "the old one was stolen": {"overlap_seconds": 0},
}
SIGNING_SECRET: Final[Example] = {**CREDENTIAL, "id": "7c1d2e3f4a5b", "carrier": "swiftmail"}
NEW_SIGNING_SECRET: Final[Example] = {**SIGNING_SECRET, **NEW, "secret": "whsec_dGhpcyBvbmNl"}
REVOKED_SIGNING_SECRET: Final[Example] = {**SIGNING_SECRET, **REVOKED}
SIGNING_SECRET_LIST: Final[Example] = {"items": [SIGNING_SECRET], "next_cursor": None}
