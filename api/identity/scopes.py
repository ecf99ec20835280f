"""What each route needs: a scope, declared where the route is. A route that declares none is not served."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from api.http.problems import UnauthenticatedError
from dom.shared.access import Principal, Scope
from dom.shared.errors import Forbidden

PUBLIC: Final = frozenset(
    {"/health/live", "/health/ready", "/problems/{name}", "/docs", "/docs/files", "/openapi.json"}
    | {"/questions/{token}", "/webhooks/{channel_id}"}
)
"""Routes that need no caller: whether it lives, what it says of itself, which tell nothing of any order; customers'
links, of which each token opens one question; and webhooks of platforms, which sign what they send.
"""


class _Needs:
    """A dependency that says which scope its route needs, and answers who calls."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Principal:
        return allowed(request, self.scope)


def needs(scope: Scope) -> Any:
    """Declares what a route needs: `who: Annotated[Principal, needs(Scope.ORDERS_READ)]`, or among its dependencies."""
    return Depends(_Needs(scope))


def caller(request: Request) -> Principal:
    """Who calls. Raises UnauthenticatedError."""
    found = getattr(request.state, "caller", None)
    if not isinstance(found, Principal):
        raise UnauthenticatedError("this needs an API key or a token")
    return found


def allowed(request: Request, *scopes: Scope) -> Principal:
    """The caller, who has all these scopes. Raises UnauthenticatedError, Forbidden."""
    who = caller(request)
    for scope in scopes:
        if not who.has(scope):
            raise Forbidden(f"this needs the scope {scope}, which {who.name} does not have", data={"scope": scope})
    return who


async def check_scope(request: Request) -> None:
    """Asked of every route below /v1 before its input is checked; each declares a scope, or the application does not
    start. Raises UnauthenticatedError, Forbidden.
    """
    allowed(request, *declared(request.scope["route"]))


def declared(route: BaseRoute) -> tuple[Scope, ...]:
    """The scopes a route needs, in the sequence in which it names them."""
    return tuple(dict.fromkeys(_of(route.dependant))) if isinstance(route, APIRoute) else ()


def served(app: FastAPI) -> list[RouteContext]:
    """Every route of the application, those of its routers among them."""
    return list(iter_route_contexts(app.routes))


def require_scopes(app: FastAPI) -> None:
    """Raises RuntimeError for a route that is neither public nor says what it needs."""
    for route in served(app):
        if route.path not in PUBLIC and not declared(route.original_route):
            raise RuntimeError(f"{route.path} does not say which scope it needs, and is not named as public")


def _of(dependant: Dependant) -> Iterator[Scope]:
    if isinstance(dependant.call, _Needs):
        yield dependant.call.scope
    for part in dependant.dependencies:
        yield from _of(part)
