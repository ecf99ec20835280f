"""Callers of the API in tests: an operator with a key that stands in every database, others with keys made for them,
and people with tokens of an identity provider of the tests' own.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Principal, Role, Scope, principal
from services import api_keys
from services.credentials import COMMAND_LINE

OPERATOR = "tests"
_SECRET = "the-secret-of-the-tests-which-guards-nothing"
KEY = f"dom_tests_{_SECRET}"
HEADERS = {"X-API-Key": KEY}
"""What the operator of the tests sends."""
ISSUER = "https://people.example"
AUDIENCE = "dom"


def write_operator(connection: Connection) -> None:
    """Let the operator of the tests into a database."""
    statement = text(
        "INSERT INTO api_keys (id, hash, role, subject, created_by) VALUES ('tests', :hash, :role, :name, '')"
    )
    hashed = hashlib.sha256(_SECRET.encode()).digest()
    connection.execute(statement, {"hash": hashed, "role": Role.OPERATOR, "name": OPERATOR})


async def key_of(
    engine: AsyncEngine, role: Role, limits: Limits, *, name: str = "", scopes: frozenset[Scope] | None = None
) -> dict[str, str]:
    """The headers of a new key. What it is limited to need not be there."""
    asked = api_keys.NewKey(name or str(role), role, limits, scopes)
    async with engine.begin() as connection:
        made = await api_keys.write(connection, COMMAND_LINE, asked)
    return {"X-API-Key": made.plaintext}


def caller(role: Role = Role.OPERATOR, **limits: Any) -> Principal:
    """Somebody who calls, for tests that ask without HTTP."""
    return principal(OPERATOR, [role], Limits.of(**limits))


@dataclass
class IdentityProvider:
    """Signs tokens; its public keys stand in a file."""

    file: Path
    key: OKPKey

    @classmethod
    def at(cls, folder: Path) -> "IdentityProvider":
        """One with a fresh key."""
        key = OKPKey.generate_key("Ed25519", {"kid": "first", "use": "sig"})
        made = cls(folder / "jwks.json", key)
        made.publish()
        return made

    def publish(self) -> None:
        """Write the public keys."""
        self.file.write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))

    @property
    def settings(self) -> dict[str, Any]:
        """What the API is told of it."""
        return {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": str(self.file)}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token as the provider signs it, with other claims where they are named; None leaves one out."""
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "kim", "iat": now, "exp": now + 3600, "roles": ["operator"]}
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode({"alg": "Ed25519", "kid": "first"} | (header or {}), said, self.key, algorithms=["Ed25519"])

    def headers(self, **claims: Any) -> dict[str, str]:
        """What a person sends."""
        return {"Authorization": f"Bearer {self.token(**claims)}"}
