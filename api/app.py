"""Where the API is wired: services, endpoints, and one shape for every error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware.cors import CORSMiddleware
from temporalio.client import Client

from api.access import routes as access
from api.access import secret_routes
from api.availability import change_routes
from api.availability import routes as availability
from api.bulk import routes as bulk
from api.channels import connection_routes, webhook_routes
from api.channels import routes as channels
from api.contract import docs_page, document
from api.delivery import carrier_routes, shipment_routes
from api.exceptions import desk_routes, watch_routes
from api.exceptions import routes as exceptions
from api.fulfilment import cancellation_routes, collection_routes, directing_routes, staff_routes, supplier_routes
from api.fulfilment import routes as fulfilments
from api.health import problem_routes
from api.health import routes as health
from api.holds import policy_routes as hold_policies
from api.holds import routes as holds
from api.http import failures
from api.http.bodies import BodyGuard
from api.http.request_id import HEADER
from api.http.requests import refuse_what_would_be_lost
from api.http.services import Services, connect
from api.identity import audit
from api.identity.audit import Audit
from api.identity.authentication import Authentication, Callers
from api.identity.rate_limits import RateLimits
from api.identity.request_ids import RequestIds
from api.identity.scopes import check_scope, require_scopes
from api.identity.tokens import Tokens
from api.imports import routes as imports
from api.inbound import routes as inbound
from api.inbox import correction_routes, mapping_routes, rule_routes
from api.inbox import routes as inbox
from api.network import node_routes, sku_routes
from api.notifications import routes as messages
from api.orders import change_routes as order_changes
from api.orders import note_routes as order_notes
from api.orders import priority_routes as order_priorities
from api.orders import routes as orders
from api.orders import view_routes
from api.policy import draft_routes
from api.policy import routes as policies
from api.questions import public_routes
from api.questions import routes as questions
from api.rehearsal import routes as rehearsals
from api.rehearsal import shadow_routes
from api.reservations import routes as reservations
from api.returns import routes as returns
from api.stock import reallocation_routes, safety_routes, value_routes
from api.stock import routes as inventory
from settings import Settings
from store.database import engine as store_engine

PREFIX = "/v1"
_RESOURCES = (
    view_routes,  # before the orders: `views` is no order's id, which has a hyphen
    orders,
    order_changes,
    bulk,
    order_notes,
    order_priorities,
    holds,
    hold_policies,
    fulfilments,
    staff_routes,
    directing_routes,
    collection_routes,
    supplier_routes,
    cancellation_routes,
    questions,
    inbox,
    correction_routes,
    mapping_routes,
    rule_routes,
    carrier_routes,
    shipment_routes,
    messages,
    exceptions,
    desk_routes,
    watch_routes,
    inventory,
    imports,
    inbound,
    safety_routes,
    value_routes,
    reallocation_routes,
    availability,
    change_routes,
    channels,
    connection_routes,
    node_routes,
    sku_routes,
    returns,
    reservations,
    policies,
    draft_routes,
    rehearsals,
    shadow_routes,
    access,
    secret_routes,
)
"""Below the prefix, in the sequence of the document."""
_log = structlog.get_logger("api")


def create_app(settings: Settings, engine: AsyncEngine | None = None, client: Client | None = None) -> FastAPI:
    """The application. What is not given it opens at its start and closes at its end; neither needs a live server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        own_engine = engine or store_engine.create(
            settings.database_url, settings.db_pool_size, store_engine.ProcessKind.API
        )
        services = app.state.services = Services.of(settings, own_engine, client or await connect(settings))
        tokens = Tokens(settings) if settings.oidc_issuer else None
        app.state.callers = Callers(services.keys, tokens)
        looking = asyncio.create_task(_say_what_lacks(services))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await services.tail.close()
            await services.standing.close()
            if tokens is not None:
                await tokens.close()
            await audit.finish()
            if engine is None:
                await own_engine.dispose()

    app = _Api(
        title=document.TITLE,
        version=document.VERSION,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyGuard)
    app.add_middleware(RateLimits, quota=settings.rate_limit)
    app.add_middleware(Authentication)
    app.add_middleware(Audit)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_browsers(settings.cors_origins))
    app.add_middleware(RequestIds)
    failures.register(app)
    for resource in _RESOURCES:
        app.include_router(
            resource.router, prefix=PREFIX, dependencies=[Depends(check_scope), Depends(refuse_what_would_be_lost)]
        )
    app.include_router(public_routes.router)
    app.include_router(webhook_routes.router)
    app.include_router(health.router)
    app.include_router(problem_routes.router)
    docs_page.add_to(app)
    require_scopes(app)
    return app


def _browsers(origins: str) -> dict[str, Any]:
    """What pages of these origins may do. Keys and tokens stand in headers: no cookie is ever sent along."""
    return {
        "allow_origins": [origin.strip() for origin in origins.split(",") if origin.strip()],
        "allow_methods": ["GET", "POST", "PUT", "DELETE"],
        "allow_headers": ["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "Last-Event-ID", HEADER],
        "expose_headers": [HEADER, "Location", "Retry-After", "RateLimit", "RateLimit-Policy"],
    }


async def _say_what_lacks(services: Services) -> None:
    """Tell the one who starts it what to run; the API itself serves, and is ready as soon as that was done."""
    for part, state in (await health.lacking(services)).items():
        _log.warning("not ready", part=part, because=state)


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """The document, made when it is first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = document.describe(self)
        return self.openapi_schema
