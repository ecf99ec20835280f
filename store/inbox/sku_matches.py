"""What the catalogue knows of codes that channels send: which it holds, and what the others could be. Each statement
goes by an index and has a limit: a catalogue of 100,000 SKUs is never read.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.correcting.case import CatalogueSku
from store.database.parameters import to_rows

_HELD: Final = text("SELECT id FROM skus WHERE id = ANY(:codes)")
_BY_FORM: Final = text("""
SELECT sku_fold(id) AS key, id, document ->> 'description' AS name FROM skus WHERE sku_fold(id) = ANY(:keys) ORDER BY id
""")
_MOST_ALIKE: Final = 12
_ALIKE: Final = text("""
SELECT a.code, s.id, s.name FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS a (code text, name text)
CROSS JOIN LATERAL (
    (SELECT id, document ->> 'description' AS name FROM skus WHERE id % a.code
     ORDER BY similarity(id, a.code) DESC, id LIMIT :most)
    UNION
    (SELECT id, document ->> 'description' AS name FROM skus
     WHERE a.name <> '' AND (document ->> 'description') % a.name
     ORDER BY similarity((document ->> 'description'), a.name) DESC, id LIMIT :most)
) s ORDER BY a.code, s.id
""")
_BOUGHT: Final = text("""
SELECT DISTINCT s.id, s.document ->> 'description' AS name
FROM (SELECT id FROM orders WHERE customer_id = :customer AND channel = :channel
      ORDER BY captured_at DESC, id LIMIT 20) o
JOIN order_lines l ON l.order_id = o.id JOIN skus s ON s.id = l.sku
ORDER BY s.id LIMIT 200
""")


async def held(connection: AsyncConnection, codes: Sequence[str]) -> frozenset[str]:
    """Of these codes those that the catalogue holds."""
    return frozenset((await connection.scalars(_HELD, {"codes": list(codes)})).all())


async def by_form(connection: AsyncConnection, keys: Sequence[str]) -> Mapping[str, Sequence[CatalogueSku]]:
    """SKUs by their codes without case, marks and leading zeros."""
    found: dict[str, list[CatalogueSku]] = {}
    for row in await connection.execute(_BY_FORM, {"keys": list(keys)}):
        found.setdefault(row.key, []).append(CatalogueSku(row.id, row.name or ""))
    return found


async def alike(
    connection: AsyncConnection, asked: Sequence[tuple[str, str]], channel: str, customer: str
) -> Mapping[str, Sequence[CatalogueSku]]:
    """SKUs that resemble codes, or names of articles, with what the customer ordered in the channel before."""
    rows = [{"code": code, "name": name} for code, name in asked]
    found: dict[str, dict[str, CatalogueSku]] = {code: {} for code, _ in asked}
    values: dict[str, Any] = {"asked": to_rows(rows), "most": _MOST_ALIKE}
    for row in await connection.execute(_ALIKE, values):
        found[row.code][row.id] = CatalogueSku(row.id, row.name or "")
    if customer:
        bought = await connection.execute(_BOUGHT, {"customer": customer, "channel": channel})
        for row in bought:
            for of_code in found.values():
                of_code[row.id] = CatalogueSku(row.id, row.name or "", bought=True)
    return {code: tuple(skus.values()) for code, skus in found.items()}
