"""Shopify: webhooks as hints, orders by the Admin GraphQL API, write-back by its mutations.

Webhooks are signed with HMAC-SHA256 of the raw body, base64, in `X-Shopify-Hmac-Sha256`
(shopify.dev/docs/apps/build/webhooks/subscribe/https). Queries cost points of a bucket; each answer says how many are
left (shopify.dev/docs/api/usage/limits).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import httpx
from pydantic import Field

from connectors.channels import graphql
from connectors.channels.bodies import as_body, document, is_hmac
from connectors.channels.budget import RequestBudget, SlowDownError
from connectors.channels.generic import number_in
from connectors.channels.platform_http import PlatformHttp
from connectors.channels.port import (
    Ability,
    ChannelConnector,
    FeedSpan,
    ListedOrder,
    OrderPage,
    StockLevel,
    StockPage,
)
from connectors.channels.shopify import orders, queries
from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity, content_id
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.base import Value
from dom.shared.errors import OutsideFailure
from dom.shared.money import decimals
from dom.shared.texts import keepable
from dom.shared.urls import HttpUrl

_PAGE: Final = 25
_VARIANTS: Final = 100
_BUCKET, _PER_SECOND = 2_000.0, 100.0
"""Points of the smallest plan; what the shop really has it says with each answer."""
_COST_OF_ORDER: Final = 50.0
_COST: Final = 20.0
"""Points that a query will cost, roughly; what it did cost the shop says with its answer."""
_STALE: Final = "COMPARE_QUANTITY_STALE"
_TRIES: Final = 3


class ShopifySettings(Value):
    """What the connector needs to know of a shop."""

    url: HttpUrl = Field(description="The shop's address, as https://example.myshopify.com.")
    version: Annotated[str, Field(pattern=r"^20\d\d-\d\d$")] = Field(default="2026-10", description="Of the Admin API.")
    location: Annotated[str, Field(max_length=100)] = Field(
        default="", description="The location whose stock we keep, as gid://shopify/Location/1."
    )
    accepted_tag: Annotated[str, Field(min_length=1, max_length=40)] = Field(
        default="accepted", description="The tag that an order gets once it is taken."
    )
    pays_refunds: bool = Field(default=False, description="Whether a refund there moves money, or is only recorded.")


class ShopifyConnector(ChannelConnector):
    """A Shopify shop."""

    platform: ClassVar[Platform] = Platform.SHOPIFY
    settings_model: ClassVar[type[Value]] = ShopifySettings
    needs: ClassVar[tuple[str, ...]] = ("access_token",)
    signs: ClassVar[str | None] = "webhook_secret"
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    tells: frozenset[StepKind] = frozenset(StepKind)

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises ValidationError for settings that no shop can have."""
        super().__init__(connection, secrets, transport=transport)
        self._settings = ShopifySettings.model_validate(connection.settings)
        self._path = f"/admin/api/{self._settings.version}/graphql.json"
        self._budget = RequestBudget(_BUCKET, _PER_SECOND)
        headers = {"X-Shopify-Access-Token": secrets["access_token"]}
        self._http = PlatformHttp(self._settings.url, headers, self._budget, transport=transport)

    # --- receiving ---------------------------------------------------------------------------------------------------

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By the ids of the delivery and of the event. Topics about fulfilments, refunds and edits name the order by
        its id alone.
        """
        delivery = keepable(headers.get("x-shopify-webhook-id", ""))[:200]
        return MessageIdentity(
            delivery_id=delivery or content_id(body),
            topic=keepable(headers.get("x-shopify-topic", ""))[:200],
            order_number=None if _is_part(headers) else number_in(body, mapping),
            event_id=keepable(headers.get("x-shopify-event-id", ""))[:200] or None,
            reference=_reference(headers, body),
            is_hint=True,
        )

    @classmethod
    def is_signed(cls, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the header holds the HMAC-SHA256 of the body under the app's secret."""
        return is_hmac(headers.get("x-shopify-hmac-sha256", ""), secret, body)

    # --- asking ------------------------------------------------------------------------------------------------------

    async def order(self, reference: str) -> bytes | None:
        """The order by its id (gid://shopify/Order/1), or None; with all its lines."""
        found = (await self._ask("GetOrder", queries.GET_ORDER, {"id": reference}, cost=_COST_OF_ORDER))["order"]
        if found is None:
            return None
        lines, info = list(found["lineItems"]["nodes"]), found["lineItems"].get("pageInfo") or {}
        while info.get("hasNextPage"):
            asked = {"id": reference, "after": info["endCursor"]}
            more = (await self._ask("MoreLines", queries.MORE_LINES, asked, cost=_COST_OF_ORDER))["order"]["lineItems"]
            lines += more["nodes"]
            info = more["pageInfo"]
        return as_body(orders.with_counts({**found, "lineItems": {"nodes": lines}}))

    async def orders(self, span: FeedSpan, after: str | None) -> OrderPage:
        """A page of orders by the time of their last change, or of their making. The list says which, and each is asked
        for: a page of whole orders would ask for more points than one query may.
        """
        name, key = ("created_at", "CREATED_AT") if span.placed else ("updated_at", "UPDATED_AT")
        query = f"{name}:>='{span.since.isoformat()}'"
        if span.until is not None:
            query += f" {name}:<'{span.until.isoformat()}'"
        asked = {"first": _PAGE, "after": after, "query": query, "sortKey": key}
        page = (await self._ask("ListOrders", queries.LIST_ORDERS, asked, cost=_COST))["orders"]
        bodies = [await self.order(each["id"]) for each in page["nodes"]]
        latest = max((datetime.fromisoformat(each["updatedAt"]) for each in page["nodes"]), default=None)
        found = [ListedOrder(body) for body in bodies if body is not None]
        return OrderPage(found, page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None, latest)

    # --- telling -----------------------------------------------------------------------------------------------------

    def known(self, body: bytes) -> PlatformOrder:
        """What Shopify knows of the order. Raises ValueError, KeyError or TypeError for what is no order of it."""
        return orders.known(json.loads(body), self._settings.accepted_tag)

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Tell Shopify one thing."""
        told = {
            StepKind.ACCEPT: self._accept,
            StepKind.FULFIL: self._fulfil,
            StepKind.DELIVER: self._deliver,
            StepKind.CANCEL: self._cancel,
            StepKind.REFUND: self._refund,
        }
        return Told(await told[step.kind](order, step))

    async def _accept(self, order: PlatformOrder, step: TellStep) -> str:
        del step
        asked = {"id": order.reference, "tags": [self._settings.accepted_tag]}
        await self._change("AddTags", queries.ADD_TAGS, asked, "tagsAdd")
        return order.reference

    async def _fulfil(self, order: PlatformOrder, step: TellStep) -> str:
        found = (await self._ask("OpenWork", queries.OPEN_WORK, {"id": order.reference}, cost=_COST))["order"]
        try:
            asked = orders.fulfilment(found["fulfillmentOrders"]["nodes"], step)
        except LookupError as error:
            raise OutsideFailure(str(error)) from error
        made = await self._change("Fulfil", queries.FULFIL, {"fulfillment": asked}, "fulfillmentCreate")
        return str(made["fulfillment"]["id"])

    async def _deliver(self, order: PlatformOrder, step: TellStep) -> str:
        del order
        event = {"fulfillmentId": step.platform_id, "status": "DELIVERED"}
        await self._change("FulfilmentEvent", queries.FULFILMENT_EVENT, {"event": event}, "fulfillmentEventCreate")
        return step.platform_id

    async def _cancel(self, order: PlatformOrder, step: TellStep) -> str:
        """The whole order, or some units: those are a refund of no money, which takes them off the order."""
        if not step.whole:
            return await self._refund(order, step)
        asked = {"orderId": order.reference, "reason": "OTHER", "staffNote": step.key}
        made = await self._change("CancelOrder", queries.CANCEL, asked, "orderCancel")
        return str(made["job"]["id"])

    async def _refund(self, order: PlatformOrder, step: TellStep) -> str:
        asked = orders.refund(order.raw, step, pays=self._settings.pays_refunds)
        for each in asked["transactions"]:
            each["amount"] = f"{step.amount / 10 ** decimals(step.currency):.{decimals(step.currency)}f}"
        variables = {"input": asked, "key": _uuid(f"{order.reference}/{step.key}")}
        made = await self._change("Refund", queries.REFUND, variables, "refundCreate")
        return str(made["refund"]["id"])

    # --- stock -------------------------------------------------------------------------------------------------------

    async def levels(self, after: str | None) -> StockPage:
        """A page of variants with a SKU that are stocked at our location."""
        page = await self._variants(None, after)
        found = [StockLevel(sku, available) for sku, _, available in _stocked(page["nodes"])]
        return StockPage(found, page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None)

    async def set_levels(self, levels: Sequence[StockLevel]) -> Sequence[str]:
        """Set them, each from the quantity that is there: one that was sold meanwhile is looked at again."""
        wanted = {each.sku: each.quantity for each in levels}
        unknown: list[str] = []
        for start in range(0, len(levels), _VARIANTS):
            unknown += await self._set([each.sku for each in levels[start : start + _VARIANTS]], wanted)
        return unknown

    async def _set(self, skus: Sequence[str], wanted: Mapping[str, int]) -> list[str]:
        query = " OR ".join(f"sku:{json.dumps(sku)}" for sku in skus)
        for _ in range(_TRIES):
            found = {sku: (item, there) for sku, item, there in _stocked((await self._variants(query, None))["nodes"])}
            quantities = [
                {
                    "inventoryItemId": item,
                    "locationId": self._settings.location,
                    "quantity": wanted[sku],
                    "compareQuantity": there,
                }
                for sku, (item, there) in found.items()
                if sku in wanted and there != wanted[sku]
            ]
            if not quantities:
                return [sku for sku in skus if sku not in found]
            asked = {"name": "available", "reason": "correction", "quantities": quantities}
            answer = await self._ask("SetQuantities", queries.SET_QUANTITIES, {"input": asked}, cost=_COST)
            errors = answer["inventorySetQuantities"]["userErrors"]
            if not errors:
                return [sku for sku in skus if sku not in found]
            if any(each.get("code") != _STALE for each in errors):
                raise OutsideFailure(f"inventorySetQuantities: {graphql.said(errors)}")
        raise TemporaryFailureError("the shop's stock moves faster than it can be set")

    async def _variants(self, query: str | None, after: str | None) -> dict[str, Any]:
        asked = {"first": _VARIANTS, "after": after, "query": query, "location": self._settings.location}
        answer = await self._ask("ListVariants", queries.LIST_VARIANTS, asked, cost=_COST)
        return dict(answer["productVariants"])

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _change(self, operation: str, query: str, variables: Mapping[str, Any], field: str) -> dict[str, Any]:
        made = dict((await self._ask(operation, query, variables, cost=_COST))[field])
        errors = made.get("userErrors") or made.get("orderCancelUserErrors")
        if errors:
            raise OutsideFailure(f"{field}: {graphql.said(errors)}")
        return made

    async def _ask(self, operation: str, query: str, variables: Mapping[str, Any], *, cost: float) -> dict[str, Any]:
        answer, _ = await graphql.post(self._http, self._path, operation, query, variables, cost=cost)
        self._learn(answer)
        if graphql.has_code(answer, "THROTTLED"):
            missing = float(answer.get("extensions", {}).get("cost", {}).get("requestedQueryCost", cost))
            seconds = self._budget.wait_for(missing)
            raise SlowDownError(f"{operation}: the shop's bucket of points is empty", max(seconds, 1.0))
        return graphql.data_of(answer)

    def _learn(self, answer: Mapping[str, Any]) -> None:
        status = answer.get("extensions", {}).get("cost", {}).get("throttleStatus")
        if status:
            self._budget.learn(
                float(status["currentlyAvailable"]), float(status["maximumAvailable"]), float(status["restoreRate"])
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _stocked(nodes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, int]]:
    """SKU, inventory item and available units of variants that are stocked at the location."""
    for node in nodes:
        level = node["inventoryItem"]["inventoryLevel"]
        if node["sku"] and level is not None:
            quantity = next(each["quantity"] for each in level["quantities"] if each["name"] == "available")
            yield node["sku"], node["inventoryItem"]["id"], int(quantity)


_PARTS: Final = ("fulfillments/", "refunds/", "orders/edited", "order_transactions/")
"""Topics whose payload is no order, but names one."""


def _is_part(headers: Mapping[str, str]) -> bool:
    return headers.get("x-shopify-topic", "").startswith(_PARTS)


def _reference(headers: Mapping[str, str], body: bytes) -> str | None:
    told = document(body)
    if not isinstance(told, dict):
        return None
    part = told.get("order_edit") if isinstance(told.get("order_edit"), dict) else told
    given = (part or {}).get("order_id") if _is_part(headers) else told.get("admin_graphql_api_id") or told.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        return f"{orders.ORDER_PREFIX}{given}"
    if isinstance(given, str) and given.startswith(orders.ORDER_PREFIX):
        return keepable(given)[:200]
    return None


def _uuid(key: str) -> str:
    """A name of a request by which Shopify knows it again."""
    return str(UUID(bytes=hashlib.sha256(key.encode()).digest()[:16]))
