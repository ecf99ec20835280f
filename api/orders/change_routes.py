"""Changes of an order after it was captured: previewed, made, and what is possible."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.http.answers import Json
from api.http.models import OrderId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.orders import change_examples as examples
from api.orders.change_models import ChangeRules, ChangesRequest, EditedOrder, OrderChanges
from dom.orders.commands import EditOrder
from dom.orders.editing.rules import RULES, possible
from dom.orders.order import Promise
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import NotFound
from services import edits
from services.database import Database
from services.edits import EditOutcome
from store.access.visibility import ORDER
from store.orders import revisions
from store.orders import state as order_state

router = APIRouter(tags=["orders"])

_OF_REVISION = ("number", "actor", "reason", "occurred_at", "changes")


@router.post(
    "/orders/{order_id}/changes",
    summary="Change an order",
    operation_id="changeOrder",
    response_model=EditedOrder,
    responses={
        **responses.success(200, "What the changes come to.", examples.CHANGED),
        **responses.problems(
            "not-found", "cannot-change", "cannot-cancel", "stale", "not-available", "unknown-sku", "unknown-node",
            "conflict", "invalid-input",
        ),
    },
)  # fmt: skip
async def change(
    order_id: OrderId,
    asked: Annotated[ChangesRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.CHANGES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_EDIT)],
    preview: Annotated[bool, Query(description="Change nothing; say what it would come to.")] = False,
    key: IdempotencyKey = None,
) -> Json:
    """All changes or none, in one transaction with the new plan. `revision` is the one that the caller saw: if the
    order was edited since, the answer is 409 `stale`. Work that no node has begun is planned anew with what is added.

    What is too late is 409 `cannot-change`; `data` says which rule, and what else could be done.
    """
    await visibility.see(services, who, ORDER, order_id)
    visibility.no_limit_of_nodes(who)  # what is planned anew may be at any node
    told = {"request": f"edit/{key}", "request_hash": asked.content_hash("change")} if key and not preview else {}
    command = EditOrder(
        revision=asked.revision,
        changes=asked.changes,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        roles=who.roles,
        **told,
    )
    return Json(_shown(await edits.edit(_database(services), order_id, command, preview=preview), preview))


@router.get(
    "/orders/{order_id}/changes",
    summary="What may be changed of an order, and what was",
    operation_id="listOrderChanges",
    response_model=OrderChanges,
    responses={
        **responses.success(200, "For who asks.", examples.OF_ORDER),
        **responses.problems("not-found"),
    },
)
async def of_order(order_id: OrderId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> Json:
    """Each change with whether it is possible now; each line for itself. Then the order as each edit left it."""
    await visibility.see(services, who, ORDER, order_id)
    async with services.engine.connect() as connection:
        state = await order_state.read(connection, order_id)
        made = await revisions.of_order(connection, order_id)
    if not state.lines:
        raise NotFound(f"there is no order {order_id}")
    return Json(
        {
            "order_id": order_id,
            "revision": state.revision,
            "possible": [
                {"change": each.change, "line_id": each.line_id, "possible": not each.why, "why": each.why or None,
                 "instead": each.instead if each.why else None}
                for each in possible(state, who.roles)
            ],
            "revisions": [_revision(row) for row in made],
        }
    )  # fmt: skip


@router.get(
    "/change-rules",
    summary="Which changes of an order are possible, for whom, and until when",
    operation_id="listChangeRules",
    dependencies=[needs(Scope.ORDERS_READ)],
    response_model=ChangeRules,
    responses={**responses.success(200, "The rules.", examples.RULES), **responses.problems()},
)
async def rules() -> Json:
    """The table that decides, for screens that show what is possible."""
    return Json(
        {
            "items": [
                {"change": kind, "level": rule.level, "until": dict(rule.until), "instead": rule.instead}
                for kind, rule in RULES.items()
            ]
        }
    )


def _revision(row: RowMapping) -> dict[str, Any]:
    return {**{name: row[name] for name in _OF_REVISION}, "order": row["document"]}


def _database(services: Services) -> Database:
    return Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)


def _shown(made: EditOutcome, preview: bool) -> dict[str, Any]:
    return {
        "order_id": made.order.order_id,
        "preview": preview,
        "revision": made.revision,
        "status": made.status,
        "fulfilments": [
            {
                "id": work["id"], "node_id": work["node_id"], "status": work["status"], "method": work["method"],
                "ship_by": work["ship_by"], "lines": work["lines"] or {},
                "promise": {"earliest": work["promise_earliest"], "latest": work["promise_latest"]},
            }
            for work in made.work
        ],
        "waiting": made.waiting,
        "promise_before": _window(made.promise_before),
        "promise": _window(made.promise),
        "goods": {
            "before": made.goods.before, "after": made.goods.after, "difference": made.goods.difference,
            "currency": made.goods.currency,
        },
    }  # fmt: skip


def _window(promise: Promise | None) -> dict[str, datetime] | None:
    return None if promise is None else {"earliest": promise.earliest, "latest": promise.latest}
