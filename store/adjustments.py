"""Changes of stock from outside the order flow: a receipt, a count, damage. Each once, each for itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.errors import Conflict, DomError, InvalidInput, StockConflict, UnknownNode, UnknownSku
from store import stock
from store.kinds import LedgerKind
from store.stock import Movement

_KEY: Final = "adjustment:"
"""Keeps the keys callers choose apart from the house's own."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A stock balance after a change; `repeated` if the change had been made before."""

    on_hand: int
    reserved: int
    available: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of on hand; positive comes in, negative goes out."""

    node_id: str
    sku: str
    quantity: int
    reason: str
    idempotency_key: str
    occurred_at: datetime


async def apply(connection: AsyncConnection, adjustment: Adjustment, actor: str) -> Balance:
    """Make the change, once per idempotency key, node and SKU. For a connection without a transaction.

    Raises UnknownNode, UnknownSku, StockConflict if units are reserved that would go, InvalidInput if the balance would
    grow beyond what can be kept, Conflict if the key stands for another change.
    """
    movement = Movement(
        node_id=adjustment.node_id,
        sku=adjustment.sku,
        quantity=adjustment.quantity,
        kind=LedgerKind.RECEIPT if adjustment.reason.startswith("receipt") else LedgerKind.ADJUSTMENT,
        reason=adjustment.reason,
        business_key=_KEY + adjustment.idempotency_key,
    )
    try:
        row = await stock.move(connection, movement, actor=actor, at=adjustment.occurred_at)
    except DataError as error:
        raise InvalidInput("the balance would be too large to keep", field="quantity") from error
    except IntegrityError as error:
        return await _after_refusal(connection, movement, error)
    if not row["applied"]:
        await _refuse_other_content(connection, movement)
    return _balance(row, repeated=not row["applied"])


async def _after_refusal(connection: AsyncConnection, movement: Movement, error: IntegrityError) -> Balance:
    found = (await connection.execute(_REASON, _place(movement))).mappings().one()
    if found["moved"] is not None:  # the same adjustment came twice at once and the other was first
        await _refuse_other_content(connection, movement)
        return _balance(found, repeated=True)
    raise _refusal(movement, found) from error


def _refusal(movement: Movement, found: RowMapping) -> DomError:
    if not found["node_known"]:
        return UnknownNode(f"there is no node {movement.node_id}", field="node_id", data={"node_id": movement.node_id})
    if not found["sku_known"]:
        return UnknownSku(f"there is no SKU {movement.sku}", field="sku", data={"sku": movement.sku})
    on_hand, reserved = found["on_hand"], found["reserved"]
    return StockConflict(
        f"{-movement.quantity} cannot go: {on_hand} on hand, {reserved} of them reserved",
        field="quantity",
        data={"on_hand": on_hand, "reserved": reserved},
    )


_REASON = text("""
SELECT EXISTS (SELECT FROM nodes WHERE id = :node_id) AS node_known,
       EXISTS (SELECT FROM skus WHERE id = :sku) AS sku_known,
       coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, coalesce(s.safety_stock, 0)
           AS safety_stock,
       (SELECT on_hand_delta FROM stock_ledger
        WHERE business_key = :business_key AND node_id = :node_id AND sku = :sku) AS moved
FROM (SELECT 1) AS one LEFT JOIN stock s ON s.node_id = :node_id AND s.sku = :sku
""")


async def _refuse_other_content(connection: AsyncConnection, movement: Movement) -> None:
    moved = (await connection.execute(_REASON, _place(movement))).mappings().one()["moved"]
    if moved != movement.quantity:
        raise Conflict(f"the key was used before, for {moved} units", field="idempotency_key", data={"quantity": moved})


def _place(movement: Movement) -> dict[str, str]:
    return {"node_id": movement.node_id, "sku": movement.sku, "business_key": movement.business_key}


def _balance(row: RowMapping, *, repeated: bool) -> Balance:
    available = max(row["on_hand"] - row["reserved"] - row["safety_stock"], 0)
    return Balance(row["on_hand"], row["reserved"], available, repeated)
