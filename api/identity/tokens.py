"""People come with a token (JWT) of the identity provider (OpenID Connect), which says who they are and their roles.

What the token says is believed if its signature is one of the provider's, by an algorithm with public keys, and if it
is meant for us and not expired. A role of another name than ours gives nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import extract_compact

from api.http.problems import UnauthenticatedError
from api.identity.key_sets import PublicKeys
from dom.shared import access
from dom.shared.access import Limits, Principal, Role
from settings import Settings

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures with public keys alone: with a shared secret who can check a token could also make one."""
LEEWAY_SECONDS: Final = 30
MOST_CHARACTERS: Final = 16_000
_WRONG: Final = "the token is not one of ours, or has expired"


class Tokens:
    """Reads the tokens of one issuer."""

    def __init__(self, settings: Settings, keys: PublicKeys | None = None) -> None:
        self._keys = keys or PublicKeys(settings.oidc_jwks)
        self._name_claim = settings.oidc_name_claim
        self._roles_claim = settings.oidc_roles_claim
        self._limits_claim = settings.oidc_limits_claim
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def caller(self, token: str) -> Principal:
        """Who comes with this token. Raises UnauthenticatedError; why, only the log is told. Raises ProviderAwayError
        where it cannot be told.
        """
        try:
            claims = await self._verified(token)
        except (JoseError, ValueError, TypeError) as error:
            raise UnauthenticatedError(_WRONG) from error
        name = _at(claims, self._name_claim)
        if not isinstance(name, str) or not access.is_name(name):
            raise UnauthenticatedError(f"the token's claim {self._name_claim} is no name that a caller can have")
        return access.principal(name, _roles(_at(claims, self._roles_claim)), _limits(_at(claims, self._limits_claim)))

    async def close(self) -> None:
        """Nothing of the provider is read any more."""
        await self._keys.close()

    async def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > MOST_CHARACTERS:
            raise ValueError("too long")
        header = extract_compact(token.encode()).headers()
        kid = header.get("kid")
        key = await self._keys.find(kid) if isinstance(kid, str) else None
        if key is None or not _is_for(key, header.get("alg")):
            raise ValueError("signed with a key that is not the provider's, or otherwise than it says")
        claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        self._claims.validate(claims)
        return claims


def _is_for(key: Key, algorithm: object) -> bool:
    """Whether the key is meant for the algorithm, as far as it says."""
    return algorithm in ALGORITHMS and key.as_dict(private=False).get("alg", algorithm) == algorithm


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or by a path as of Keycloak: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _roles(claim: Any) -> list[Role]:
    given = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    known = {role.value: role for role in Role}
    return [known[each] for each in given if isinstance(each, str) and each in known]


def _limits(claim: Any) -> Limits:
    """Of `{"channels": [...], "nodes": [...]}`. One that cannot be read allows nothing: that is safer than all."""
    if claim is None:
        return access.UNLIMITED
    if not isinstance(claim, Mapping) or not claim.keys() <= set(Limits.NAMES):
        return Limits.of([], [], [])
    return Limits(**{name: None if claim.get(name) is None else _names(claim[name]) for name in Limits.NAMES})


def _names(value: Any) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
