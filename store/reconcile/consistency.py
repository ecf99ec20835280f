"""Whether balances, ledger and reservations agree, in short: totals, and the balances that differ."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.reconcile import balances

_TOTALS = text("""
SELECT b.*, l.*, a.*
FROM (SELECT count(*) AS balances, coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
             coalesce(sum(reserved_soft), 0) AS reserved_soft FROM stock) b,
     (SELECT count(*) AS ledger_entries, coalesce(sum(on_hand_delta), 0) AS ledger_on_hand,
             coalesce(sum(reserved_delta), 0) AS ledger_reserved, coalesce(sum(soft_delta), 0) AS ledger_reserved_soft
      FROM stock_ledger) l,
     (SELECT coalesce(sum(quantity) FILTER (WHERE kind = 'firm'), 0) AS firm,
             coalesce(sum(quantity) FILTER (WHERE kind = 'soft'), 0) AS soft
      FROM reservations WHERE status = 'active') a
""")


async def check(connection: AsyncConnection) -> tuple[dict[str, Any], Sequence[RowMapping]]:
    """Totals, and every (node, SKU) of which a quantity differs from its ledger or from its active reservations.

    `firm` and `soft` are units of active reservations; soft ones count until they are reclaimed.
    """
    totals = (await connection.execute(_TOTALS)).mappings().one()
    return dict(totals), (await connection.execute(text(balances.differing()))).mappings().all()
