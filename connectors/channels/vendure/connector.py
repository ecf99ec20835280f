"""Vendure: webhooks of our plugin as hints, orders and write-back by the Admin API.

Its core sends no webhooks: `deploy/vendure/dom-webhooks.js` is a plugin that posts them, signed after the Standard
Webhooks specification. `updatedAt` does not move with refunds, fulfilments and notes, so all orders of the last days
are compared besides.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

import httpx
from pydantic import Field

from connectors.channels import graphql
from connectors.channels.bodies import as_body
from connectors.channels.budget import RequestBudget
from connectors.channels.generic import GenericConnector
from connectors.channels.platform_http import PlatformHttp
from connectors.channels.port import Ability, FeedSpan, ListedOrder, OrderPage, StockLevel, StockPage
from connectors.channels.vendure import orders, queries
from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.base import Value
from dom.shared.errors import OutsideFailure
from dom.shared.urls import HttpUrl

_PAGE: Final = 50
_VARIANTS: Final = 100
_TICK: Final = timedelta(milliseconds=1)
_TOKEN: Final = "vendure-auth-token"  # noqa: S105 - the name of a header
_PATH: Final = "/admin-api"


class VendureSettings(Value):
    """What the connector needs to know of a shop."""

    url: HttpUrl = Field(description="The server's address, as https://shop.example.")
    username: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Of an administrator.")
    stock_location: Annotated[str, Field(max_length=40)] = Field(
        default="1", description="The id of the stock location that we keep."
    )
    pays_refunds: bool = Field(default=False, description="Whether Vendure pays refunds back, by the order's payment.")
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = Field(default=20, description="Asked of it at most.")


class VendureConnector(GenericConnector):
    """A Vendure server."""

    platform: ClassVar[Platform] = Platform.VENDURE
    settings_model: ClassVar[type[Value]] = VendureSettings
    needs: ClassVar[tuple[str, ...]] = ("password",)
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises ValidationError for settings that no server can have."""
        super().__init__(connection, secrets, transport=transport)
        self._settings = VendureSettings.model_validate(connection.settings)
        rate = float(self._settings.requests_per_second)
        self._http = PlatformHttp(self._settings.url, {}, RequestBudget(rate, rate), transport=transport)
        self._token = ""
        can = set(StepKind) if self._settings.pays_refunds else set(StepKind) - {StepKind.REFUND}
        self.tells = frozenset(can)

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """As any sender; what the plugin sends is a hint."""
        found = super().identify(headers, body, mapping)
        return MessageIdentity(found.delivery_id, found.topic, found.order_number, is_hint=_is_hint(body))

    # --- asking ------------------------------------------------------------------------------------------------------

    async def order(self, reference: str) -> bytes | None:
        """The order by its code, or None."""
        options = {"filter": {"code": {"eq": reference}}, "take": 1}
        items = (await self._ask("ListOrders", queries.LIST_ORDERS, {"options": options}))["orders"]["items"]
        return _as_body(items[0]) if items else None

    async def orders(self, span: FeedSpan, after: str | None) -> OrderPage:
        """A page of orders by the time of their last change, or of their placing.

        Pages go on from the last time that was seen, without the orders that were seen of it: rows that change
        meanwhile move to the end, and counting rows would pass others over. `after` is exclusive in Vendure, hence the
        tick.
        """
        field = "orderPlacedAt" if span.placed else "updatedAt"
        known: dict[str, Any] = json.loads(after) if after else {"at": span.since.isoformat(), "ids": []}
        bounds: dict[str, Any] = {"after": _moment(datetime.fromisoformat(known["at"]) - _TICK)}
        conditions = [{field: bounds}, {"active": {"eq": False}}]
        if span.until is not None:
            conditions.append({field: {"before": _moment(span.until)}})
        take = _PAGE + len(known["ids"])
        options = {"filter": {"_and": conditions}, "sort": {field: "ASC"}, "take": take}
        items = (await self._ask("ListOrders", queries.LIST_ORDERS, {"options": options}))["orders"]["items"]
        fresh = [each for each in items if each["id"] not in known["ids"]]
        last = max((each[field] for each in items), default=None)
        ids = [each["id"] for each in items if each[field] == last]
        latest = max((datetime.fromisoformat(each["updatedAt"]) for each in fresh), default=None)
        more = json.dumps({"at": last, "ids": ids}) if len(items) == take and fresh else None
        return OrderPage([ListedOrder(_as_body(each)) for each in fresh], more, latest)

    # --- telling -----------------------------------------------------------------------------------------------------

    def known(self, body: bytes) -> PlatformOrder:
        """What Vendure knows of the order. Raises ValueError, KeyError or TypeError for what is no order of it."""
        return orders.known(json.loads(body))

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Tell Vendure one thing."""
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
        asked = {"id": order.raw["id"], "note": orders.ACCEPTED, "isPublic": False}
        return str((await self._ask("AddNote", queries.ADD_NOTE, {"input": asked}))["addNoteToOrder"]["id"])

    async def _fulfil(self, order: PlatformOrder, step: TellStep) -> str:
        """Make the fulfilment, unless it was made and not sent, and have it sent."""
        made = orders.begun(order.raw, step.tracking_number)
        if made is None:
            given = {"method": step.carrier or "parcel", "trackingCode": step.tracking_number}
            handler = {
                "code": "manual-fulfillment",
                "arguments": [{"name": name, "value": value} for name, value in given.items()],
            }
            lines = [{"orderLineId": line_id, "quantity": units} for line_id, units in step.lines.items()]
            asked = {"input": {"lines": lines, "handler": handler}}
            made = await self._change("AddFulfilment", queries.ADD_FULFILMENT, asked, "addFulfillmentToOrder")
        return await self._move(made, "Shipped")

    async def _deliver(self, order: PlatformOrder, step: TellStep) -> str:
        del order
        return await self._move(step.platform_id, "Delivered")

    async def _move(self, fulfilment: str, state: str) -> str:
        asked = {"id": fulfilment, "state": state}
        field = "transitionFulfillmentToState"
        return await self._change("MoveFulfilment", queries.MOVE_FULFILMENT, asked, field)

    async def _cancel(self, order: PlatformOrder, step: TellStep) -> str:
        lines = [{"orderLineId": line_id, "quantity": units} for line_id, units in step.lines.items()]
        asked: dict[str, Any] = {"orderId": order.raw["id"], "reason": step.key, "lines": lines}
        if step.whole:
            asked["cancelShipping"] = True
        return await self._change("Cancel", queries.CANCEL, {"input": asked}, "cancelOrder")

    async def _refund(self, order: PlatformOrder, step: TellStep) -> str:
        payment = orders.paid(order.raw, step.amount)
        if payment is None:
            raise OutsideFailure(f"no payment of {order.reference} is left of which {step.amount} can be paid back")
        asked = {"lines": [], "shipping": 0, "adjustment": 0, "amount": step.amount, "paymentId": payment}
        reason = f"{step.key} {step.reason}".strip()
        return await self._change("Refund", queries.REFUND, {"input": {**asked, "reason": reason}}, "refundOrder")

    # --- stock -------------------------------------------------------------------------------------------------------

    async def levels(self, after: str | None) -> StockPage:
        """A page of what can be sold: on hand at our location, without what orders there have."""
        skip = int(after or 0)
        options = {"take": _VARIANTS, "skip": skip, "sort": {"id": "ASC"}}
        items = await self._variants(options)
        found = [StockLevel(sku, on_hand - allocated) for sku, _, on_hand, allocated in self._stocked(items)]
        return StockPage(found, str(skip + len(items)) if len(items) == _VARIANTS else None)

    async def set_levels(self, levels: Sequence[StockLevel]) -> Sequence[str]:
        """Set what is on hand so that what can be sold comes out: what orders there have is not ours to give away."""
        unknown: list[str] = []
        for start in range(0, len(levels), _VARIANTS):
            part = {each.sku: each.quantity for each in levels[start : start + _VARIANTS]}
            options = {"take": _VARIANTS, "filter": {"sku": {"in": list(part)}}}
            found = list(self._stocked(await self._variants(options)))
            changes = [
                {
                    "id": variant,
                    "stockLevels": [
                        {"stockLocationId": self._settings.stock_location, "stockOnHand": part[sku] + allocated}
                    ],
                }
                for sku, variant, on_hand, allocated in found
                if part[sku] + allocated != on_hand
            ]
            if changes:
                await self._ask("SetStock", queries.SET_STOCK, {"input": changes})
            there = {sku for sku, *_ in found}
            unknown += [sku for sku in part if sku not in there]
        return unknown

    async def _variants(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = await self._ask("ListVariants", queries.LIST_VARIANTS, {"options": options})
        return list(answer["productVariants"]["items"])

    def _stocked(self, items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int, int]]:
        return [
            (item["sku"], item["id"], int(level["stockOnHand"]), int(level["stockAllocated"]))
            for item in items
            for level in item["stockLevels"]
            if level["stockLocationId"] == self._settings.stock_location
        ]

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _change(self, operation: str, query: str, variables: Mapping[str, Any], field: str) -> str:
        made = (await self._ask(operation, query, variables))[field]
        if "errorCode" in made:
            raise OutsideFailure(f"{field}: {made['errorCode']} {made['message']}")
        return str(made["id"])

    async def _ask(self, operation: str, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, with a session; one that has ended is begun anew."""
        if not self._token:
            await self._login()
        headers = {"Authorization": f"Bearer {self._token}"}
        answer, _ = await graphql.post(self._http, _PATH, operation, query, variables, headers=headers)
        if graphql.has_code(answer, "FORBIDDEN"):
            self._token = ""
            await self._login()
            headers = {"Authorization": f"Bearer {self._token}"}
            answer, _ = await graphql.post(self._http, _PATH, operation, query, variables, headers=headers)
        return graphql.data_of(answer)

    async def _login(self) -> None:
        given = {"username": self._settings.username, "password": self.secrets["password"]}
        answer, headers = await graphql.post(self._http, _PATH, "Login", queries.LOGIN, given)
        token = headers.get(_TOKEN)
        if not token:
            said = graphql.data_of(answer)["login"].get("message", "it gives no token")
            raise TemporaryFailureError(f"Vendure does not let us in: {said}")
        self._token = token

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _is_hint(body: bytes) -> bool:
    """What the plugin posts holds no order, but names one."""
    return b'"lines"' not in body


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _as_body(order: Mapping[str, Any]) -> bytes:
    return as_body(orders.with_shipped(order))
