"""Links by which customers answer without a login: an address with a token that nobody can guess.

A token is a random id and its signature. The id alone stands in the database and in the outbox: who reads these can
answer for nobody. Whoever sends a mail makes the same link again.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

PATH: Final = "/questions"
"""Below this every address is a customer's link; `api.questions` serves it."""
_ID_BYTES: Final = 16
_ID_LETTERS: Final = 22
_PURPOSE: Final = b"customer question\0"
"""A key that signs something else too makes no link."""


def new_link_id() -> str:
    """The id of a new link: 128 random bits."""
    return secrets.token_urlsafe(_ID_BYTES)


@dataclass(frozen=True, slots=True)
class CustomerLinks:
    """Makes and checks links. `url` is where customers reach the API, `secret` the key they are signed with."""

    url: str
    secret: str = field(repr=False)

    @property
    def work(self) -> bool:
        """Whether both are configured: without them no customer can be asked."""
        return bool(self.url and self.secret)

    def address(self, link_id: str) -> str:
        """The whole link. Raises ValueError where none can be made."""
        if not self.work:
            raise ValueError("no link can be made: DOM_LINK_URL and DOM_LINK_SECRET are not both set")
        return f"{self.url.rstrip('/')}{PATH}/{self.token(link_id)}"

    def token(self, link_id: str) -> str:
        """The id and its signature."""
        signed = hmac.digest(self.secret.encode(), _PURPOSE + link_id.encode(), "sha256")
        return link_id + urlsafe_b64encode(signed).decode().rstrip("=")

    def link_of(self, token: str) -> str | None:
        """The id of a link whose signature is right; None for any other text. Compared in constant time."""
        if not self.secret or not token.isascii():
            return None
        link_id = token[:_ID_LETTERS]
        return link_id if hmac.compare_digest(self.token(link_id), token) else None


NO_LINKS: Final = CustomerLinks("", "")
"""Where links are not configured."""
