"""What counts and changes of stock share: the locks they take, and what a sender hears of each item.

A feed's statement is put together of the relation its items come from (a JSON parameter, or staged rows of an import)
and what is done with the verdicts, so that one message and a file of a million rows mean the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import DomError, InvalidInput, by_type
from dom.stock import atp
from store.enums import ItemOutcome

MOST_UNITS: Final = 2_147_483_647
"""What a balance can hold."""

ANSWERED: Final = "SELECT * FROM verdict ORDER BY no"
"""The end of a feed's statement that answers every item."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of an item, and the balance after it; no balance where it was refused.

    `reserved_soft` are live soft reservations, `shortfall` the units that are reserved and were not there.
    """

    outcome: ItemOutcome
    on_hand: int = 0
    reserved: int = 0
    reserved_soft: int = 0
    damaged: int = 0
    quarantine: int = 0
    safety_stock: int = 0
    shortfall: int = 0
    error: DomError | None = None

    @property
    def available(self) -> int:
        """What OFL may take."""
        return max(atp.free(self.on_hand, self.reserved, self.reserved_soft, self.safety_stock), 0)


def result(row: RowMapping, data: Mapping[str, Any]) -> ItemResult:
    """A verdict as the sender hears it; `data` is what a program needs to react to a refusal."""
    if row["outcome"] == ItemOutcome.REFUSED:
        cls = by_type(row["problem"]) or InvalidInput
        return ItemResult(
            ItemOutcome.REFUSED, error=cls(row["detail"], field=row["field"], data=dict(data) if data else None)
        )
    names = ("on_hand", "reserved", "reserved_soft", "damaged", "quarantine", "safety_stock")
    balance: dict[str, Any] = {name: row[name] for name in names}
    return ItemResult(ItemOutcome(row["outcome"]), **balance, shortfall=row.get("shortfall", 0))


@dataclass(frozen=True, slots=True)
class Balances:
    """The balances that the items of a relation stand for.

    `rows` is a SELECT with node_id and sku (and whatever `opens` looks at); `opens` says for which items `i` a balance
    that does not exist is opened, with nothing in it.
    """

    opening: TextClause
    locking: TextClause

    @classmethod
    def of(cls, rows: str, opens: str = "true") -> "Balances":
        """The balances of a relation."""
        return cls(
            text(f"""
            INSERT INTO stock (node_id, sku, on_hand)
            SELECT DISTINCT i.node_id, i.sku, 0 FROM ({rows}) i
            JOIN nodes n ON n.id = i.node_id JOIN skus k ON k.id = i.sku
            WHERE ({opens}) AND NOT EXISTS (SELECT FROM stock s WHERE s.node_id = i.node_id AND s.sku = i.sku)
            ORDER BY i.node_id, i.sku ON CONFLICT (node_id, sku) DO NOTHING
            """),
            text(f"""
            WITH wanted AS MATERIALIZED (SELECT DISTINCT i.node_id, i.sku FROM ({rows}) i
            ), held AS (
                SELECT s.node_id, s.sku, s.reserved_soft FROM stock s JOIN wanted USING (node_id, sku)
                ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s)
            SELECT array_agg(node_id) AS nodes, array_agg(sku) AS skus FROM held WHERE reserved_soft > 0
            """),
        )

    async def lock(self, connection: AsyncConnection, parameters: Mapping[str, Any]) -> None:
        """Open what is missing, lock all in (node, SKU) order, and take soft reservations that lapsed off them.

        What the next statement of the transaction reads of them is true until it ends.
        """
        await connection.execute(self.opening, parameters)
        soft = (await connection.execute(self.locking, parameters)).one()
        if soft.nodes:
            await connection.execute(_RECLAIM, {"nodes": soft.nodes, "skus": soft.skus})


_RECLAIM = text("SELECT reclaim_lapsed(CAST(:nodes AS text[]), CAST(:skus AS text[]))")
