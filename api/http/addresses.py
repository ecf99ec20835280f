"""Which methods an address knows: all its endpoints together, where the framework looks at the first of them alone; and
which addresses are customers' links.
"""

from collections.abc import Iterable
from http import HTTPMethod
from typing import Final

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from services.customer_links import PATH


def methods(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """The methods of the address asked for, sorted; empty if there is no such address."""
    asked = [(method, {**scope, "method": method.value}) for method in HTTPMethod if method is not HTTPMethod.HEAD]
    known = {method for route in routes for method, each in asked if route.matches(each)[0] is Match.FULL}
    return sorted(method.value for method in known)


WEBHOOKS: Final = "/webhooks"
"""Below it platforms post what happened."""


def is_webhook(scope: Scope) -> bool:
    """Whether a platform posts a webhook; behind a proxy the address may begin with the proxy's own path."""
    return str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).startswith(f"{WEBHOOKS}/")


def is_link(scope: Scope) -> bool:
    """Whether the address is a customer's link; behind a proxy it may begin with the proxy's own path."""
    return str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).startswith(f"{PATH}/")
