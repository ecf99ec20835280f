"""API keys are made, rotated and revoked.

A key is `dom_<id>_<secret>`. The id finds it, the secret has 256 random bits. Only its SHA-256 is kept: against a
secret of that length nobody can try all, so that a slow hash would gain nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared import access
from dom.shared.access import Limits, Principal, Role, Scope
from dom.shared.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.clock import utc_now
from store import channels
from store.access import api_keys
from store.network import reference

PREFIX: Final = "dom_"
DAY_SECONDS: Final = 86_400
LONGEST_OVERLAP_SECONDS: Final = 30 * DAY_SECONDS
COMMAND_LINE: Final = access.principal("command line", [Role.OPERATOR])
"""Who makes keys with `dom keys`: whoever can reach the database may do everything."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is asked for. `scopes` narrows the role's; without it the key has all of them."""

    subject: str
    role: Role
    limits: Limits = access.UNLIMITED
    scopes: frozenset[Scope] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was made: the only moment at which its secret is known."""

    row: RowMapping
    key: str


async def create(connection: AsyncConnection, maker: Principal, asked: NewKey) -> MadeKey:
    """Make a key.

    Raises Forbidden for what the maker does not have himself, InvalidInput for a name, limit or expiry that cannot be,
    UnknownChannel, UnknownNode.
    """
    await _check(connection, asked)
    given = access.principal(asked.subject, [asked.role], asked.limits, asked.scopes)
    _check_gift(maker, given)
    return await _make(connection, maker, asked)


async def rotate(
    connection: AsyncConnection, maker: Principal, key_id: str, *, overlap_seconds: int, expires_at: datetime | None
) -> MadeKey:
    """Make a key that may do the same; the old one works for `overlap_seconds` more. It expires when the old one would
    have, unless `expires_at` says otherwise.

    Raises NotFound, Forbidden for a key that the maker could not have made, Conflict if it has ended or was rotated.
    """
    old = await _known(connection, maker, key_id)
    if not is_live(old, old["now"]):
        raise Conflict(f"the key {key_id} has ended; make another")
    if (newer := await api_keys.successor(connection, key_id)) is not None:  # it ends with its overlap already
        raise Conflict(f"the key {key_id} was rotated before, to {newer}; rotate that one, or make another")
    check_expiry(expires_at)
    asked = NewKey(
        old["subject"],
        Role(old["role"]),
        Limits.of(old["channels"], old["nodes"], old["carriers"]),
        None if old["scopes"] is None else api_keys.caller_of(old).scopes,
        expires_at or old["expires_at"],
    )
    made = await _make(connection, maker, asked, rotated_from=key_id)
    await api_keys.expire_in(connection, key_id, overlap_seconds)
    return made


async def get(connection: AsyncConnection, maker: Principal, key_id: str) -> RowMapping:
    """What is known of a key. Raises NotFound, Forbidden for a key that the maker could not have made."""
    return _seen(maker, key_id, await api_keys.find(connection, key_id))


async def revoke(connection: AsyncConnection, maker: Principal, key_id: str) -> RowMapping:
    """End a key now. Raises NotFound, Forbidden for a key that the maker could not have made."""
    await _known(connection, maker, key_id)
    await api_keys.revoke(connection, key_id, maker.name)
    return await _known(connection, maker, key_id)


def visible_to(maker: Principal, rows: Sequence[RowMapping]) -> list[RowMapping]:
    """The keys that the maker could have made; of the others he sees nothing."""
    return [row for row in rows if access.may_give(maker, api_keys.caller_of(row))]


def parts(key: str) -> tuple[str, bytes] | None:
    """The id of a key, and the hash of its secret; None for what is no key of ours."""
    head, _, secret = key.removeprefix(PREFIX).partition("_")
    if not key.startswith(PREFIX) or not head or not secret or not key.isascii():
        return None
    return head, _hash(secret)


def is_secret(row: RowMapping, hash_: bytes) -> bool:
    """Whether a secret with this hash is the key's; takes as long whichever byte differs."""
    return hmac.compare_digest(bytes(row["hash"]), hash_)


def is_live(row: RowMapping, now: datetime) -> bool:
    """Whether the key works at that time of the database."""
    return row["revoked_at"] is None and (row["expires_at"] is None or row["expires_at"] > now)


def prefix(key_id: str) -> str:
    """The beginning of a key, which is no secret."""
    return f"{PREFIX}{key_id}"


async def _make(
    connection: AsyncConnection, maker: Principal, asked: NewKey, *, rotated_from: str | None = None
) -> MadeKey:
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    caller = access.principal(asked.subject, [asked.role], asked.limits, asked.scopes, key_id)
    row = await api_keys.insert(
        connection,
        caller,
        asked.role,
        hash_=_hash(secret),
        scopes=asked.scopes,
        created_by=maker.name,
        expires_at=asked.expires_at,
        rotated_from=rotated_from,
    )
    return MadeKey(row, f"{prefix(key_id)}_{secret}")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def _known(connection: AsyncConnection, maker: Principal, key_id: str) -> RowMapping:
    return _seen(maker, key_id, await api_keys.lock(connection, key_id))


def _seen(maker: Principal, key_id: str, row: RowMapping | None) -> RowMapping:
    if row is None:
        raise NotFound(f"there is no key {key_id}")
    _check_gift(maker, api_keys.caller_of(row))
    return row


def _check_gift(maker: Principal, given: Principal) -> None:
    if not access.may_give(maker, given):
        raise Forbidden("a key may have no role, scope or limit beyond those of who makes it")


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


def check_expiry(expires_at: datetime | None) -> None:
    """Raises InvalidInput for an expiry that is past."""
    if expires_at is not None and expires_at <= utc_now():
        raise InvalidInput("it would have expired already", field="expires_at")
