"""Nodes' days against the fulfilments they are for.

A fulfilment takes its place in the node's day when it is released to the node, and in the day's service where the node
limits that. It gives the place back when it ends before its goods leave the node (rejected, cancelled, recalled), and
keeps it once they left.
"""

from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import GAVE_DAY_BACK
from store.database.parameters import listed
from store.reconcile.differences import StockDifference, StockFault, Subject, SubjectKind

_LIMITED: Final = "n.document->'service_capacity' ? "
_WORKED: Final = f"coalesce(f.status NOT IN ({listed(GAVE_DAY_BACK)}), true)"

DIFFERING: Final = f"""
WITH worked AS (
    SELECT f.node_id, f.ship_day AS day, '' AS service, count(*) AS units FROM fulfilments f WHERE {_WORKED}
    GROUP BY f.node_id, f.ship_day
    UNION ALL
    SELECT f.node_id, f.ship_day, f.method, count(*) FROM fulfilments f
    JOIN nodes n ON n.id = f.node_id AND {_LIMITED} f.method WHERE {_WORKED} GROUP BY f.node_id, f.ship_day, f.method
)
SELECT node_id, day, service, d.used, coalesce(w.units, 0) AS units
FROM node_days d FULL JOIN worked w USING (node_id, day, service)
WHERE d.used IS DISTINCT FROM coalesce(w.units, 0)
  AND (service = '' OR EXISTS (SELECT FROM nodes n WHERE n.id = node_id AND {_LIMITED} service))
ORDER BY node_id, day, service"""


def of_day(row: RowMapping) -> StockDifference:
    """A row of `DIFFERING` in words."""
    subject = Subject(SubjectKind.DAY, (row["node_id"], str(row["day"]), row["service"]))
    used = "nothing" if row["used"] is None else row["used"]
    detail = f"{used} taken of the day, {row['units']} fulfilments stand in it"
    return StockDifference(StockFault.NODE_DAY, subject, detail, f"{row['units']} taken", str(row["day"]))


_OPEN = text("""
INSERT INTO node_days (node_id, day, service, used) VALUES (:node_id, CAST(:day AS date), :service, 0)
ON CONFLICT (node_id, day, service) DO NOTHING
""")
_LOCK = text("""
SELECT FROM node_days WHERE node_id = :node_id AND day = CAST(:day AS date) AND service = :service FOR UPDATE
""")
_SETTLE = text(f"""
UPDATE node_days SET used = (
    SELECT count(*) FROM fulfilments f WHERE f.node_id = :node_id AND f.ship_day = CAST(:day AS date) AND {_WORKED}
    AND (:service = '' OR f.method = :service))
WHERE node_id = :node_id AND day = CAST(:day AS date) AND service = :service
""")


async def repair_day(connection: AsyncConnection, subject: Subject) -> None:
    """Count the day's fulfilments anew, under the day's lock: who takes a place holds it until the work is written."""
    node_id, day, service = subject.parts
    place = {"node_id": node_id, "day": day, "service": service}
    for statement in (_OPEN, _LOCK, _SETTLE):
        await connection.execute(statement, place)
