"""The OpenAPI document: the contract, as generated from the endpoints."""

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext

from api.contract import glossary, links, responses
from api.http import problems
from api.http.problems import Problem
from api.identity.scopes import declared, served
from dom.shared.access import Scope

TITLE: Final = "Distributed order management"
VERSION: Final = version("dom-oms")
"""The package's: `pyproject.toml` is the one place it stands in."""
DESCRIPTION: Final = """
Channels hand over orders; each becomes one durable process that decides which node ships which unit, reserves the
stock, books the carrier, keeps the customer informed and brings returned goods and money back.

**Money** is integer minor units (pence, cents) with an ISO 4217 currency. **Times** are ISO 8601 with an offset, kept
and answered in UTC; what a node does by day and hour is in the node's own zone.

**Errors** are `application/problem+json` (RFC 9457). Decide by `type`: a stable relative reference, `/problems/<type>`,
that leads to what it means. `field` is a JSON path into the input (`lines[0].sku`), `errors` lists all wrong fields.
What is refused
(4xx) changed nothing; after 503 and 504 the request may stand on record, and sending it again completes it.

**Sending again is safe.** An order is known by its channel and number, a scan by `event_id`, a change of stock by
`idempotency_key`, a step of a fulfilment by itself; cancels and returns take an `Idempotency-Key` header. After 503 and
504 send the same once more, after the seconds in `Retry-After`.

**Who calls** says so with an API key or a token. Each operation names the scope it needs; a caller without it gets
403. A channel sees its own orders, returns and reservations alone, a node its own work, a carrier its own shipments:
what is another's is answered as if it were not there (404), and naming another channel, node or carrier is
refused (403).

**Every answer** has the `X-Request-Id` of its request (the caller's own, if it sends one), problems as `request_id`
too. `RateLimit` and `RateLimit-Policy` say what is left to the caller; 429 comes with `Retry-After`.

**Lists** answer `items` and `next_cursor`; give the cursor back with the same filters for the next page.
"""
TAGS: Final = [
    {"name": "orders", "description": "Handed over by channels, once each; shown with everything about them."},
    {
        "name": "inbox",
        "description": "What channels send, as it came; what became of it, repair and replay; mappings.",
    },
    {"name": "channels", "description": "How channels are connected to their platforms: health, feeds, pause."},
    {"name": "holds", "description": "What stops an order on its way until somebody, a rule or time releases it."},
    {"name": "bulk", "description": "One action on many orders: previewed, followed, stopped and resumed."},
    {"name": "fulfilments", "description": "One node's work for one order: work lists, steps, labels."},
    {"name": "carriers", "description": "Carriers, shipments booked with them, scans of parcels."},
    {"name": "exceptions", "description": "What a person must look at and does about it, and watches that open some."},
    {"name": "inventory", "description": "Stock, and what can be promised."},
    {"name": "network", "description": "Nodes and SKUs."},
    {"name": "ofl", "description": "The policy that decides which node ships what: versions, drafts, mistakes."},
    {"name": "returns", "description": "Goods that come back for money."},
    {"name": "access", "description": "Who may call, and what callers did."},
    {"name": "health", "description": "For those who run it."},
    {"name": "problems", "description": "What errors mean."},
]
SCHEMES: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a token (JWT) of the identity provider: `Authorization: Bearer dom_...`.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key: `X-API-Key: dom_...`.",
    },
}
"""How callers say who they are: either of them."""
_OF_THE_FRAMEWORK: Final = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application's endpoints."""
    found = get_openapi(
        title=TITLE,
        version=VERSION,
        summary="Orders from any channel, fulfilled from the best place.",
        description=DESCRIPTION.strip(),
        tags=TAGS,
        routes=app.routes,
    )
    needed = {
        route.operation_id: declared(route.original_route) for route in served(app) if route.name and _is_ours(route)
    }
    for operation in (operation for operations in found["paths"].values() for operation in operations.values()):
        _name_our_refusals(operation)
        _say_who_may(operation, needed[operation["operationId"]])
        _link(operation)
    schemas = found["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for name in _OF_THE_FRAMEWORK:
        schemas.pop(name, None)
    operations = [operation for operations in found["paths"].values() for operation in operations.values()]
    glossary.describe(schemas, [each for operation in operations for each in operation.get("parameters", [])])
    found["components"]["securitySchemes"] = SCHEMES
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    return found


def _name_our_refusals(operation: dict[str, Any]) -> None:
    """What is refused before an endpoint sees it. Of parameters the framework would describe an answer that is never
    given; of bodies it says nothing.
    """
    ours = responses.problems("invalid-input")[422]
    if problems.MEDIA_TYPE not in operation["responses"].get("422", ours)["content"]:
        operation["responses"]["422"] = ours
    if "requestBody" in operation:
        for status, answer in responses.refused_bodies(operation["requestBody"]["content"]).items():
            operation["responses"].setdefault(str(status), answer)
        operation["responses"].setdefault("422", ours)


def _is_ours(route: RouteContext) -> bool:
    return isinstance(route.original_route, APIRoute)


def _say_who_may(operation: dict[str, Any], scopes: tuple[Scope, ...]) -> None:
    """The scopes an operation needs, and how those are refused who do not have them."""
    if not scopes:
        operation["security"] = []
        return
    operation["security"] = [{name: [scope.value for scope in scopes]} for name in SCHEMES]
    for status, answer in responses.refused_callers().items():
        operation["responses"].setdefault(str(status), answer)


def _link(operation: dict[str, Any]) -> None:
    if follow := links.of(operation["operationId"]):
        for answer in (answer for status, answer in operation["responses"].items() if status.startswith("2")):
            answer["links"] = follow
