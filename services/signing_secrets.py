"""Secrets with which carriers sign what they report, and whether a message is signed with one.

Messages are signed as our own webhooks are, after the Standard Webhooks specification (standardwebhooks.com, version
1): HMAC-SHA256 over id, time and body. A carrier that has a secret must sign; one without may. A secret that has
expired does not let messages in that are not signed: only revoking the last one does.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dom.shared import access
from dom.shared.access import Limits, Principal, Role
from dom.shared.errors import BadSignature, InvalidInput
from services.credentials import Issued, Issuer, check_expiry
from store.access import signing_secrets
from store.access.credentials import SIGNING_SECRETS
from store.network import reference

PREFIX: Final = "whsec_"
HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE_SECONDS: Final = 300
"""How far the time of a message may be from ours, either way: the specification's, and the library's."""
_BYTES: Final = 32


class _Secrets(Issuer):
    noun = "secret"
    rows = SIGNING_SECRETS
    beyond = "a secret may be made by those alone who may make a key of its carrier"

    async def create(
        self, connection: AsyncConnection, maker: Principal, carrier: str, *, expires_at: datetime | None = None
    ) -> Issued:
        """Make a secret of a carrier; from now on its messages must be signed.

        Raises InvalidInput for a carrier that is not there and an expiry that is past, Forbidden for a maker who could
        not make the carrier's key either.
        """
        self.check_gift(maker, _key_of(carrier))
        check_expiry(expires_at)
        if not await reference.has_carrier(connection, carrier):
            raise InvalidInput(f"there is no carrier {carrier}", field="carrier")
        return await _write(connection, maker, carrier, expires_at)

    def holder(self, row: RowMapping) -> Principal:
        return _key_of(row["carrier"])

    async def reissue(
        self, connection: AsyncConnection, maker: Principal, old: RowMapping, expires_at: datetime | None
    ) -> Issued:
        return await _write(connection, maker, old["carrier"], expires_at, rotated_from=old["id"])


SECRETS: Final = _Secrets()
"""The secrets that carriers sign with."""


async def check(connection: AsyncConnection, carrier: str, headers: Mapping[str, str], body: bytes) -> None:
    """Let a message of the carrier in, if it has no secret or signed this body with one of those that count.

    Raises BadSignature. For a connection on which each statement stands for itself.
    """
    known = await signing_secrets.of_carrier(connection, carrier)
    if not known:
        return
    if missing := [name for name in HEADERS if not headers.get(name)]:
        raise BadSignature(f"{carrier} signs its messages, and this one has no {' and no '.join(missing)}")
    signed = _signed_with([row for row in known if row["live"]], headers, body)
    await SIGNING_SECRETS.used(connection, signed)


def _signed_with(known: Sequence[RowMapping], headers: Mapping[str, str], body: bytes) -> str:
    """The id of the secret that the signature is of. The library compares signatures in constant time."""
    for row in known:
        try:
            Webhook(row["secret"]).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # ValueError: a header or body that no signature can be of
            continue
        return str(row["id"])
    raise BadSignature(
        f"the signature is not one of this message, or its time is more than {TOLERANCE_SECONDS} s from ours"
    )


async def _write(
    connection: AsyncConnection,
    maker: Principal,
    carrier: str,
    expires_at: datetime | None,
    *,
    rotated_from: str | None = None,
) -> Issued:
    secret = PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    row = await SIGNING_SECRETS.insert(
        connection,
        {
            "id": secrets.token_hex(6),
            "carrier": carrier,
            "secret": secret,
            "created_by": maker.name,
            "expires_at": expires_at,
            "rotated_from": rotated_from,
        },
    )
    return Issued(row, secret)


def _key_of(carrier: str) -> Principal:
    return access.principal(carrier, [Role.CARRIER], Limits.of(carriers=[carrier]))
