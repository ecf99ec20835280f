"""News that no unit's move brings: what may be promised of a SKU changed by a rule, a switch or a release date.

The ledger is what readers of changes follow, so such news stands in it too: an entry of kind `rule` that moves
nothing. One entry a SKU is enough, for readers look up what is available now.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import to_rows


class Affected(NamedTuple):
    """Which balances: of a SKU, a node, both, or (neither) all."""

    sku: str | None = None
    node_id: str | None = None


_ANNOUNCE = text("""
WITH RECURSIVE scope AS (
    SELECT sku, node_id FROM jsonb_to_recordset(CAST(:scopes AS jsonb)) AS s (sku text, node_id text)
), every_sku (sku) AS (
    (SELECT sku FROM stock WHERE EXISTS (SELECT FROM scope WHERE sku IS NULL AND node_id IS NULL) ORDER BY sku LIMIT 1)
    UNION ALL
    SELECT (SELECT s.sku FROM stock s WHERE s.sku > e.sku ORDER BY s.sku LIMIT 1) FROM every_sku e
    WHERE e.sku IS NOT NULL
), touched AS (
    SELECT sku, node_id FROM stock JOIN scope USING (sku, node_id)
    UNION ALL
    SELECT sku, (SELECT min(s.node_id) FROM stock s WHERE s.sku = scope.sku) FROM scope WHERE node_id IS NULL
    UNION ALL
    SELECT s.sku, s.node_id FROM stock s JOIN scope ON scope.node_id = s.node_id AND scope.sku IS NULL
    UNION ALL
    SELECT sku, (SELECT min(s.node_id) FROM stock s WHERE s.sku = every_sku.sku) FROM every_sku
)
INSERT INTO stock_ledger (node_id, sku, kind, business_key, reason, actor, occurred_at)
SELECT DISTINCT ON (sku) node_id, sku, 'rule', 'rule/' || gen_random_uuid(), :reason,
       :actor, statement_timestamp()
FROM touched WHERE sku IS NOT NULL AND node_id IS NOT NULL ORDER BY sku, node_id
""")


async def announce(connection: AsyncConnection, scopes: Collection[Affected], *, reason: str, actor: str) -> None:
    """Tell readers of changes that what may be promised of these balances changed, with what changed it."""
    if scopes:
        rows = to_rows({"sku": scope.sku, "node_id": scope.node_id} for scope in sorted(scopes, key=str))
        await connection.execute(_ANNOUNCE, {"scopes": rows, "reason": reason, "actor": actor})
