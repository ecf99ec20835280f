"""What is answered of API keys and of secrets that carriers sign with: one, new ones, a page, and what was ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from api.access.models import KeyRotation
from api.http import cursor
from api.http.answers import Json
from api.http.services import Services
from dom.shared.access import Principal
from services.credentials import Issued, Issuer


@dataclass(frozen=True, slots=True)
class CredentialAnswers:
    """The answers about one kind of credential.

    `path` is where it is found, `secret_field` the field of a new one that shows it this once.
    """

    issuer: Issuer
    path: str
    secret_field: str
    shown: Callable[[RowMapping], dict[str, Any]]

    def issued(self, made: Issued) -> Json:
        """201, with the secret, and its address."""
        headers = {"Location": f"{self.path}/{made.row['id']}"}
        return Json({**self.shown(made.row), self.secret_field: made.plaintext}, 201, headers=headers)

    async def page(
        self, services: Services, who: Principal, cursor_: str | None, limit: int, **wanted: str | None
    ) -> Json:
        """Those that the caller could have made, the newest first; of the columns that are named these values alone."""
        before = cursor.decode_moment(cursor_) if cursor_ else None
        async with services.reads.connect() as connection:
            found = await self.issuer.rows.page(connection, before, limit + 1, **wanted)
        page, more = cursor.page(found, limit, lambda row: (row["created_at"], row["id"]))
        items = [self.shown(row) for row in self.issuer.visible_to(who, page)]
        return Json({"items": items, "next_cursor": more})

    async def get(self, services: Services, who: Principal, credential_id: str) -> Json:
        """One, as it stands."""
        async with services.reads.connect() as connection:
            return Json(self.shown(await self.issuer.get(connection, who, credential_id)))

    async def rotate(self, services: Services, who: Principal, credential_id: str, how: KeyRotation) -> Json:
        """The one that takes its place."""
        async with services.engine.begin() as connection:
            made = await self.issuer.rotate(
                connection, who, credential_id, overlap_seconds=how.overlap_seconds, expires_at=how.expires_at
            )
        return self.issued(made)

    async def revoke(self, services: Services, who: Principal, credential_id: str) -> Json:
        """One that has ended."""
        async with services.engine.begin() as connection:
            row = await self.issuer.revoke(connection, who, credential_id)
        return Json(self.shown(row))
