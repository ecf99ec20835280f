"""The order as it is after changes: the document that is planned, labelled and shown from then on."""

from collections.abc import Sequence
from typing import Any

from dom.network import ShippingMethod
from dom.orders.editing.changes import (
    AddLine,
    Change,
    RemoveLine,
    SetQuantity,
    SwapSku,
    TakeSubstitute,
)
from dom.orders.order import Order, OrderLine
from dom.shared.errors import InvalidInput


def revised(order: Order, changes: Sequence[Change], living: dict[str, int]) -> Order:
    """The order after the changes. `living` are the units of each line that are not cancelled, before them.

    A line lists all units that were ever ordered of it: what is cancelled is counted with the order's units. Raises
    InvalidInput where the changes leave a pick-up without a node, or a node without a pick-up.
    """
    lines = {line.line_id: line for line in order.lines}
    update: dict[str, Any] = {}
    for change in changes:
        match change:
            case SetQuantity(line_id=line_id, quantity=quantity):
                more = max(quantity - living[line_id], 0)
                lines[line_id] = lines[line_id].model_copy(update={"quantity": lines[line_id].quantity + more})
            case AddLine(line_id=line_id, sku=sku, quantity=quantity, unit_price=price):
                lines[line_id] = OrderLine(line_id=line_id, sku=sku, quantity=quantity, unit_price=price)
            case SwapSku(line_id=line_id, new_line_id=new, sku=sku, unit_price=price):
                price = lines[line_id].unit_price if price is None else price
                lines[new] = OrderLine(line_id=new, sku=sku, quantity=living[line_id], unit_price=price)
            case TakeSubstitute(new_line_id=new, sku=sku, quantity=quantity, unit_price=price):
                lines[new] = OrderLine(line_id=new, sku=sku, quantity=quantity, unit_price=price)
            case RemoveLine():
                pass
            case _:  # the others are named as the order's own fields are
                update |= {name: getattr(change, name) for name in type(change).model_fields if name != "change"}
    after = order.model_copy(update={**update, "lines": tuple(lines.values())})
    if (after.shipping_method is ShippingMethod.PICKUP) != (after.pickup_node is not None):
        raise InvalidInput("a pick-up names its node, and nothing else does", field="changes")
    return after
