"""API keys: which may be asked for, and how one is written.

A key is `dom_<id>_<secret>`. The id finds it, the secret has 256 random bits. Only its SHA-256 is kept: against a
secret of that length nobody can try all, so that a slow hash would gain nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared import access
from dom.shared.access import Limits, Principal, Role, Scope
from dom.shared.errors import InvalidInput, NotFound
from services.credentials import Issued, Issuer, check_expiry
from store import channels
from store.access import api_keys
from store.access.credentials import API_KEYS
from store.network import reference

PREFIX: Final = "dom_"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is asked for. `scopes` narrows the role's; without it the key has all of them."""

    subject: str
    role: Role
    limits: Limits = access.UNLIMITED
    scopes: frozenset[Scope] | None = None
    expires_at: datetime | None = None


class _Keys(Issuer):
    noun = "key"
    rows = API_KEYS
    beyond = "a key may have no role, scope or limit beyond those of who makes it"

    async def create(self, connection: AsyncConnection, maker: Principal, asked: NewKey) -> Issued:
        """Make a key.

        Raises Forbidden for what the maker does not have himself, InvalidInput for a name, limit or expiry that cannot
        be, and for a channel or node that is not there.
        """
        await _check(connection, asked)
        self.check_gift(maker, access.principal(asked.subject, [asked.role], asked.limits, asked.scopes))
        return await write(connection, maker, asked)

    def holder(self, row: RowMapping) -> Principal:
        return api_keys.caller_of(row)

    async def reissue(
        self, connection: AsyncConnection, maker: Principal, old: RowMapping, expires_at: datetime | None
    ) -> Issued:
        limits = Limits.of(old["channels"], old["nodes"], old["carriers"])
        scopes = None if old["scopes"] is None else self.holder(old).scopes
        asked = NewKey(old["subject"], Role(old["role"]), limits, scopes, expires_at)
        return await write(connection, maker, asked, rotated_from=old["id"])


KEYS: Final = _Keys()
"""The keys of the API."""


async def write(
    connection: AsyncConnection, maker: Principal, asked: NewKey, *, rotated_from: str | None = None
) -> Issued:
    """Write down a key that was checked before."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    limits = access.limits_of([asked.role], asked.limits).by_name()
    row = await API_KEYS.insert(
        connection,
        {
            "id": key_id,
            "hash": _hash(secret),
            "role": asked.role,
            "subject": asked.subject,
            **{name: None if values is None else sorted(values) for name, values in limits.items()},
            "scopes": None if asked.scopes is None else sorted(asked.scopes),
            "created_by": maker.name,
            "expires_at": asked.expires_at,
            "rotated_from": rotated_from,
        },
    )
    return Issued(row, f"{prefix(key_id)}_{secret}")


def parts(key: str) -> tuple[str, bytes] | None:
    """The id of a key, and the hash of its secret; None for what is no key of ours."""
    head, _, secret = key.removeprefix(PREFIX).partition("_")
    if not key.startswith(PREFIX) or not head or not secret or not key.isascii():
        return None
    return head, _hash(secret)


def is_secret(row: RowMapping, hash_: bytes) -> bool:
    """Whether a secret with this hash is the key's; takes as long whichever byte differs."""
    return hmac.compare_digest(bytes(row["hash"]), hash_)


def prefix(key_id: str) -> str:
    """The beginning of a key, which is no secret."""
    return f"{PREFIX}{key_id}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def _check(connection: AsyncConnection, asked: NewKey) -> None:
    if not access.is_name(asked.subject):
        raise InvalidInput(
            "a name begins with a letter or digit and has letters, digits, spaces and . _ @ + / | - alone, 64 at most; "
            "those of our own processes are taken",
            field="name",
        )
    check_expiry(asked.expires_at)
    needed = access.NEEDS.get(asked.role)
    if needed is not None and not getattr(asked.limits, needed):
        raise InvalidInput(f"a key of a {asked.role} is limited to its {needed}", field=needed)
    for name, limit in asked.limits.by_name().items():
        if limit is not None and name not in access.LIMITED_BY[asked.role]:
            raise InvalidInput(f"the role {asked.role} has no limit of {name}", field=name)
        if limit is not None and not limit:
            raise InvalidInput("an empty list would allow nothing; leave it out for no limit", field=name)
    if asked.scopes is not None and not asked.scopes:
        raise InvalidInput("a key without any scope may do nothing; leave it out for all of them", field="scopes")
    if asked.scopes is not None and (beyond := asked.scopes - access.SCOPES[asked.role]):
        raise InvalidInput(f"a {asked.role} has no scope {', '.join(sorted(beyond))}", field="scopes")
    for channel in sorted(asked.limits.channels or ()):
        await _exists(channels.get(connection, channel), "channels", f"there is no channel {channel}")
    for node in sorted(asked.limits.nodes or ()):
        await _exists(reference.get_node(connection, node), "nodes", f"there is no node {node}")


async def _exists(look: Awaitable[object], field: str, otherwise: str) -> None:
    try:
        await look
    except NotFound as error:
        raise InvalidInput(otherwise, field=field) from error
