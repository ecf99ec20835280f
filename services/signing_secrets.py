"""Secrets with which carriers sign what they report: made, rotated, revoked, and asked for with every message.

Messages are signed as our own webhooks are, after the Standard Webhooks specification (standardwebhooks.com, version
1): HMAC-SHA256 over id, time and body. A carrier that has a secret must sign; one without may. A secret that has
expired does not let messages in that are not signed: only revoking the last one does.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dom.shared import access
from dom.shared.access import Limits, Principal, Role
from dom.shared.errors import BadSignature, Conflict, Forbidden, InvalidInput, NotFound
from services.api_keys import check_expiry, is_live
from store.access import signing_secrets
from store.network import reference

PREFIX: Final = "whsec_"
HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE_SECONDS: Final = 300
"""How far the time of a message may be from ours, either way: the specification's, and the library's."""
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A secret that was made: the only moment at which it is shown."""

    row: RowMapping
    secret: str


async def create(
    connection: AsyncConnection, maker: Principal, carrier: str, *, expires_at: datetime | None = None
) -> MadeSecret:
    """Make a secret of a carrier; from now on its messages must be signed.

    Raises InvalidInput for a carrier that is not there and an expiry that is past, Forbidden for a maker who could not
    make the carrier's key either.
    """
    _check_gift(maker, carrier)
    check_expiry(expires_at)
    if not await reference.has_carrier(connection, carrier):
        raise InvalidInput(f"there is no carrier {carrier}", field="carrier")
    return await _make(connection, maker, carrier, expires_at)


async def rotate(
    connection: AsyncConnection, maker: Principal, secret_id: str, *, overlap_seconds: int, expires_at: datetime | None
) -> MadeSecret:
    """Make a secret of the same carrier; the old one counts for `overlap_seconds` more. It expires when the old one
    would have, unless `expires_at` says otherwise.

    Raises NotFound, Forbidden, Conflict if it has ended, InvalidInput.
    """
    old = await _known(connection, maker, secret_id)
    if not is_live(old, old["now"]):
        raise Conflict(f"the secret {secret_id} has ended; make another")
    check_expiry(expires_at)
    made = await _make(connection, maker, old["carrier"], expires_at or old["expires_at"], rotated_from=secret_id)
    await signing_secrets.expire_in(connection, secret_id, overlap_seconds)
    return made


async def get(connection: AsyncConnection, maker: Principal, secret_id: str) -> RowMapping:
    """What is known of a secret. Raises NotFound, Forbidden."""
    return _seen(maker, secret_id, await signing_secrets.find(connection, secret_id))


async def revoke(connection: AsyncConnection, maker: Principal, secret_id: str) -> RowMapping:
    """End a secret now. Raises NotFound, Forbidden."""
    await _known(connection, maker, secret_id)
    await signing_secrets.revoke(connection, secret_id, maker.name)
    return await _known(connection, maker, secret_id)


def may_see(maker: Principal, row: RowMapping) -> bool:
    """Whether the secret is of a carrier whose key the maker could make."""
    return access.may_give(maker, _key_of(row["carrier"]))


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
    await signing_secrets.used(connection, signed)


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


async def _make(
    connection: AsyncConnection,
    maker: Principal,
    carrier: str,
    expires_at: datetime | None,
    *,
    rotated_from: str | None = None,
) -> MadeSecret:
    secret = PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    row = await signing_secrets.insert(
        connection,
        secrets.token_hex(6),
        carrier,
        secret=secret,
        created_by=maker.name,
        expires_at=expires_at,
        rotated_from=rotated_from,
    )
    return MadeSecret(row, secret)


async def _known(connection: AsyncConnection, maker: Principal, secret_id: str) -> RowMapping:
    return _seen(maker, secret_id, await signing_secrets.lock(connection, secret_id))


def _seen(maker: Principal, secret_id: str, row: RowMapping | None) -> RowMapping:
    if row is None:
        raise NotFound(f"there is no secret {secret_id}")
    _check_gift(maker, row["carrier"])
    return row


def _check_gift(maker: Principal, carrier: str) -> None:
    if not access.may_give(maker, _key_of(carrier)):
        raise Forbidden(f"{maker.name} could not make a key of {carrier} either")


def _key_of(carrier: str) -> Principal:
    return access.principal(carrier, [Role.CARRIER], Limits.of(carriers=[carrier]))
