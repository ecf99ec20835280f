"""The changes that can be made to an order. Units of a line are those that are not cancelled."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from dom.network import ShippingMethod
from dom.orders.order import ShipTo, Tags
from dom.shared.base import GivenTime, LineId, Minor, NodeId, Quantity, SkuId, Value


class EditKind(StrEnum):
    """What a change is about. The value is stored, and callers send it."""

    SET_QUANTITY = "set_quantity"
    ADD_LINE = "add_line"
    REMOVE_LINE = "remove_line"
    SWAP_SKU = "swap_sku"
    SUBSTITUTE = "substitute"
    SET_SHIP_TO = "set_ship_to"
    SET_SHIPPING_METHOD = "set_shipping_method"
    SET_REQUESTED_BY = "set_requested_by"
    SET_PICKUP_NODE = "set_pickup_node"
    SET_TAGS = "set_tags"
    SET_SHIP_COMPLETE = "set_ship_complete"


class SetQuantity(Value):
    """So many units of the line are to be sent: fewer are cancelled, more are sourced."""

    change: Literal[EditKind.SET_QUANTITY] = EditKind.SET_QUANTITY
    line_id: LineId
    quantity: Quantity


class AddLine(Value):
    """Another line. `unit_price` is in minor units of the order's currency."""

    change: Literal[EditKind.ADD_LINE] = EditKind.ADD_LINE
    line_id: LineId
    sku: SkuId
    quantity: Quantity
    unit_price: Minor


class RemoveLine(Value):
    """Nothing of the line is to be sent any more."""

    change: Literal[EditKind.REMOVE_LINE] = EditKind.REMOVE_LINE
    line_id: LineId


class SwapSku(Value):
    """Another SKU in place of the line's: its units are cancelled, and as many of a new line are sent.

    `unit_price`: absent, the price stays.
    """

    change: Literal[EditKind.SWAP_SKU] = EditKind.SWAP_SKU
    line_id: LineId
    new_line_id: LineId
    sku: SkuId
    unit_price: Minor | None = None


class TakeSubstitute(Value):
    """Another SKU in place of some of the line's units: these are cancelled, and `quantity` of a new line are sent."""

    change: Literal[EditKind.SUBSTITUTE] = EditKind.SUBSTITUTE
    line_id: LineId
    units: Quantity
    new_line_id: LineId
    sku: SkuId
    quantity: Quantity
    unit_price: Minor


class SetShipTo(Value):
    """Another address, for all that has not left its node."""

    change: Literal[EditKind.SET_SHIP_TO] = EditKind.SET_SHIP_TO
    ship_to: ShipTo


class SetShippingMethod(Value):
    """Another method, for all that no node has begun."""

    change: Literal[EditKind.SET_SHIPPING_METHOD] = EditKind.SET_SHIPPING_METHOD
    shipping_method: ShippingMethod
    pickup_node: NodeId | None = None


class SetRequestedBy(Value):
    """When the customer wants it by; null: any time."""

    change: Literal[EditKind.SET_REQUESTED_BY] = EditKind.SET_REQUESTED_BY
    requested_by: GivenTime | None


class SetPickupNode(Value):
    """Where the customer collects it."""

    change: Literal[EditKind.SET_PICKUP_NODE] = EditKind.SET_PICKUP_NODE
    pickup_node: NodeId


class SetTags(Value):
    """The order's tags; they replace those it has."""

    change: Literal[EditKind.SET_TAGS] = EditKind.SET_TAGS
    tags: Tags


class SetShipComplete(Value):
    """Whether all of the order is sourced at once, or what there is goes and the rest follows: of what waits now and
    later.
    """

    change: Literal[EditKind.SET_SHIP_COMPLETE] = EditKind.SET_SHIP_COMPLETE
    ship_complete: bool


Change = Annotated[
    SetQuantity
    | AddLine
    | RemoveLine
    | SwapSku
    | TakeSubstitute
    | SetShipTo
    | SetShippingMethod
    | SetRequestedBy
    | SetPickupNode
    | SetTags
    | SetShipComplete,
    Field(discriminator="change"),
]
"""Anything that may be changed of an order."""

REPLANS: Final = frozenset(
    {EditKind.SET_SHIP_TO, EditKind.SET_SHIPPING_METHOD, EditKind.SET_REQUESTED_BY, EditKind.SET_PICKUP_NODE}
)
"""Changes after which all work that no node has begun is planned anew."""
