"""Credentials are issued, rotated and revoked: API keys, and secrets that carriers sign with."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared import access
from dom.shared.access import Principal, Role
from dom.shared.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.clock import utc_now
from store.access.credentials import CredentialTable

COMMAND_LINE: Final = access.principal("command line", [Role.OPERATOR])
"""Who makes credentials with `dom keys` and `dom secrets`: whoever can reach the database may do everything."""
DAY_SECONDS: Final = 86_400
LONGEST_OVERLAP_SECONDS: Final = 30 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential that was made: the only moment at which it is shown."""

    row: RowMapping
    plaintext: str


class Issuer(ABC):
    """Credentials of one kind. A maker sees, replaces and ends those alone that he could have made."""

    noun: ClassVar[str]
    rows: ClassVar[CredentialTable]
    beyond: ClassVar[str]
    """What a maker is told who may not make such a one."""

    @abstractmethod
    def holder(self, row: RowMapping) -> Principal:
        """Whom the credential lets in."""

    @abstractmethod
    async def reissue(
        self, connection: AsyncConnection, maker: Principal, old: RowMapping, expires_at: datetime | None
    ) -> Issued:
        """Make one that may do the same as an old one, and names it as `rotated_from`."""

    async def rotate(
        self,
        connection: AsyncConnection,
        maker: Principal,
        credential_id: str,
        *,
        overlap_seconds: int,
        expires_at: datetime | None,
    ) -> Issued:
        """Make one that may do the same; the old one counts for `overlap_seconds` more. It expires when the old one
        would have, unless `expires_at` says otherwise.

        Raises NotFound, Forbidden, Conflict if it has ended or was rotated, InvalidInput for an expiry that is past.
        """
        old = await self._locked(connection, maker, credential_id)
        if not is_live(old, old["now"]):
            raise Conflict(f"the {self.noun} {credential_id} has ended; make another")
        if (newer := await self.rows.successor(connection, credential_id)) is not None:  # it ends with its overlap
            raise Conflict(
                f"the {self.noun} {credential_id} was rotated before, to {newer}; rotate that one, or make another"
            )
        check_expiry(expires_at)
        made = await self.reissue(connection, maker, old, expires_at or old["expires_at"])
        await self.rows.expire_in(connection, credential_id, overlap_seconds)
        return made

    async def get(self, connection: AsyncConnection, maker: Principal, credential_id: str) -> RowMapping:
        """What is known of it. Raises NotFound, Forbidden."""
        return self._seen(maker, credential_id, await self.rows.find(connection, credential_id))

    async def revoke(self, connection: AsyncConnection, maker: Principal, credential_id: str) -> RowMapping:
        """End it now. Raises NotFound, Forbidden."""
        await self._locked(connection, maker, credential_id)
        await self.rows.revoke(connection, credential_id, maker.name)
        return await self._locked(connection, maker, credential_id)

    def visible_to(self, maker: Principal, rows: Sequence[RowMapping]) -> list[RowMapping]:
        """Those that the maker could have made; of the others he sees nothing."""
        return [row for row in rows if access.may_give(maker, self.holder(row))]

    def check_gift(self, maker: Principal, holder: Principal) -> None:
        """Raises Forbidden for a holder with more than the maker has himself."""
        if not access.may_give(maker, holder):
            raise Forbidden(self.beyond)

    async def _locked(self, connection: AsyncConnection, maker: Principal, credential_id: str) -> RowMapping:
        return self._seen(maker, credential_id, await self.rows.find(connection, credential_id, lock=True))

    def _seen(self, maker: Principal, credential_id: str, row: RowMapping | None) -> RowMapping:
        if row is None:
            raise NotFound(f"there is no {self.noun} {credential_id}")
        self.check_gift(maker, self.holder(row))
        return row


def is_live(row: RowMapping, now: datetime) -> bool:
    """Whether the credential counts at that time of the database."""
    return row["revoked_at"] is None and (row["expires_at"] is None or row["expires_at"] > now)


def check_expiry(expires_at: datetime | None) -> None:
    """Raises InvalidInput for an expiry that is past."""
    if expires_at is not None and expires_at <= utc_now():
        raise InvalidInput("it would have expired already", field="expires_at")
