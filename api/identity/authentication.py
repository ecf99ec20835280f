"""Every request's caller, found before anything of the request is read: a key or a token in `Authorization`, or a key
in `X-API-Key`.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http import problems
from api.http.failures import problem_of
from api.http.problems import UnauthenticatedError
from api.identity.tokens import Tokens
from dom.shared.access import Principal
from services.api_keys import PREFIX
from services.authentication import KeyRing

PROTECTED: Final = "/v1"
"""Below this every address needs a caller, also one that leads nowhere. What stands beside it is named as public, or
the application does not start (`api.identity.scopes.require_scopes`).
"""
_KEY_HEADER: Final = "x-api-key"
"""Where a key may stand too; never a token."""


class Authentication:
    """Puts the caller into the request's state as `caller`; answers 401 where there is none and one is needed.

    Whether it may do what it asks for, the route says (`api.identity.scopes`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http" or not is_protected(scope):
            await self._app(scope, receive, send)
            return
        try:
            identified = await scope["app"].state.callers.identify(Headers(scope=scope))
            scope.setdefault("state", {})["caller"] = identified
        except Exception as error:
            headers = {"WWW-Authenticate": problems.CHALLENGE} if isinstance(error, UnauthenticatedError) else {}
            answer = problems.answer(problem_of(error), {**headers, "Connection": "close"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_protected(scope: Scope) -> bool:
    """Whether the address needs a caller; behind a proxy it may begin with the proxy's own path."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if root and path.startswith(f"{root}/"):
        path = path.removeprefix(root)
    return path == PROTECTED or path.startswith(f"{PROTECTED}/")


class Callers:
    """Who calls, by key or token."""

    def __init__(self, keys: KeyRing, tokens: Tokens | None) -> None:
        self._keys = keys
        self._tokens = tokens

    async def identify(self, headers: Headers) -> Principal:
        """The caller. Raises UnauthenticatedError, and for a key whatever the database fails with."""
        credential = _credential(headers)
        if self._tokens is not None and not credential.startswith(PREFIX) and _KEY_HEADER not in headers:
            return await self._tokens.caller(credential)
        found = await self._keys.caller(credential)
        if found is None:
            raise UnauthenticatedError("the key is not known, has expired or was revoked")
        return found


def _credential(headers: Headers) -> str:
    given = [*headers.getlist("authorization"), *headers.getlist(_KEY_HEADER)]
    if not given:
        raise UnauthenticatedError("send an API key or a token: `Authorization: Bearer ...`, or `X-API-Key: ...`")
    if len(given) > 1:
        raise UnauthenticatedError("send one key or token, in one header")
    if _KEY_HEADER in headers:
        return given[0].strip()
    scheme, _, credential = given[0].partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise UnauthenticatedError("the header Authorization is `Bearer`, a space, and the key or token")
    return credential.strip()
