"""Watches on milestones, and what they find: things that did not reach a milestone in time.

A deadline is an event's `recorded_at` and the watch's minutes, so that what comes due lies in a row of the index
`timeline_kind_ix`. `checked_to` is how far the deadlines of a watch were looked at. An event is looked at minutes after
it was recorded, when its transaction has ended.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.exceptions.kinds import DUE_MINUTES
from dom.orders.status import ENDED_UNDELIVERED, FINAL_ORDER, FINAL_RETURN
from dom.shared.errors import NotFound
from dom.watches import LOOK_BACK, Watch, WatchedThing, in_words
from store import exceptions
from store.database.parameters import listed, to_rows
from store.fulfilment.places import PLACE

_KIND: Final = ExceptionKind.MILESTONE_MISSED
_PUT: Final = text("""
INSERT INTO watches (name, document, updated_by, checked_to)
VALUES (:name, CAST(:document AS jsonb), :by, now() - make_interval(secs => :look_back))
ON CONFLICT (name) DO UPDATE SET document = EXCLUDED.document, updated_by = EXCLUDED.updated_by, updated_at = now(),
    checked_to = EXCLUDED.checked_to
WHERE watches.document <> EXCLUDED.document
RETURNING name
""")
_EXISTS: Final = text("SELECT true FROM watches WHERE name = :name")
_ALL: Final = text("SELECT document FROM watches ORDER BY name")
_GET: Final = text("SELECT document FROM watches WHERE name = :name")
_DELETE: Final = text("DELETE FROM watches WHERE name = :name RETURNING name")


async def everyone(connection: AsyncConnection) -> list[Watch]:
    """Every watch, by name."""
    return [Watch.model_validate(document) for document in await connection.scalars(_ALL)]


async def get(connection: AsyncConnection, name: str) -> Watch:
    """The watch. Raises NotFound."""
    document = await connection.scalar(_GET, {"name": name})
    if document is None:
        raise NotFound(f"there is no watch {name}")
    return Watch.model_validate(document)


async def put(connection: AsyncConnection, watch: Watch, by: str) -> bool:
    """Create or replace a watch; True if it is new. One that is new or another looks at deadlines of the last days."""
    created = await connection.scalar(_EXISTS, {"name": watch.name}) is None
    names = {"name": watch.name, "document": watch.model_dump_json(), "by": by, "look_back": LOOK_BACK.total_seconds()}
    await connection.execute(_PUT, names)
    return created


async def delete(connection: AsyncConnection, name: str) -> None:
    """Take a watch away; what it opened closes by itself. Raises NotFound."""
    if await connection.scalar(_DELETE, {"name": name}) is None:
        raise NotFound(f"there is no watch {name}")


# --- what they find --------------------------------------------------------------------------------------------------

_WATCHES: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:watches AS jsonb)) AS w (
    name text, subject text, field text, after text[], reached text[], at_store text[], minutes int,
    since timestamptz, words text, milestone text, severity text, owner_role text, due_minutes int)"""
# The things an event is of. An event that releases fulfilments is of each that it names.
_THINGS: Final = f"""
SELECT y.order_id AS id WHERE w.subject = '{WatchedThing.ORDER}'
UNION ALL SELECT y.data->>w.field WHERE w.subject <> '{WatchedThing.ORDER}' AND y.data ? w.field
UNION ALL SELECT f.id FROM jsonb_object_keys(CASE WHEN w.subject = '{WatchedThing.FULFILMENT}'
                                             THEN y.data->'fulfilments' END) AS f (id)"""
# Missed is what has reached nothing since, was not begun anew since, and can still get there.
_MISSED: Final = f"""
NOT EXISTS (SELECT FROM timeline x WHERE x.order_id = y.order_id AND x.id > y.id
            AND (x.kind = ANY(w.reached) OR x.kind = ANY(w.after) OR x.kind = ANY(w.at_store) AND EXISTS (
                SELECT FROM fulfilments b WHERE b.id = thing.id AND b.pickup_node IS NOT NULL))
            AND (w.subject = '{WatchedThing.ORDER}' OR x.data->>w.field = thing.id))
AND CASE w.subject
    WHEN '{WatchedThing.ORDER}' THEN EXISTS (
        SELECT FROM orders o WHERE o.id = thing.id AND o.status NOT IN ({listed(FINAL_ORDER)}))
    WHEN '{WatchedThing.FULFILMENT}' THEN EXISTS (
        SELECT FROM fulfilments f WHERE f.id = thing.id AND f.status NOT IN ({listed(ENDED_UNDELIVERED)}))
    ELSE EXISTS (SELECT FROM returns r WHERE r.id = thing.id AND r.status NOT IN ({listed(FINAL_RETURN)})) END"""
_NODE: Final = f"""(SELECT {PLACE} FROM fulfilments f WHERE f.id = thing.id
                   UNION ALL SELECT r.node_id FROM returns r WHERE r.id = thing.id)"""
_DUE: Final = """
SELECT * FROM timeline t
WHERE t.kind = ANY(w.after) AND t.recorded_at > w.since - make_interval(mins => w.minutes)
  AND t.recorded_at <= now() - make_interval(mins => w.minutes)"""
_IS_DUE: Final = text(f"""
SELECT EXISTS (SELECT FROM ({_WATCHES}) w CROSS JOIN LATERAL ({_DUE} LIMIT 1) y)
       OR EXISTS (SELECT FROM exceptions WHERE kind = '{_KIND}' AND status = 'open')
""")
_FOUND: Final = f"""
SELECT y.order_id, '{_KIND}', 'watch:' || w.name || ':' || y.id || ':' || thing.id, thing.id || ' ' || w.words,
       jsonb_strip_nulls(jsonb_build_object(
           'watch', w.name, 'subject', w.subject, 'event_id', y.id, 'milestone', w.milestone, 'node_id', {_NODE},
           'fulfilment_id', CASE WHEN w.subject = '{WatchedThing.FULFILMENT}' THEN thing.id END,
           'return_id', CASE WHEN w.subject = '{WatchedThing.RETURN}' THEN thing.id END,
           'since', y.recorded_at, 'deadline', y.recorded_at + make_interval(mins => w.minutes))),
       w.severity, w.owner_role, w.due_minutes
FROM ({_WATCHES}) w
CROSS JOIN LATERAL ({_DUE} ORDER BY t.recorded_at FETCH FIRST :most ROWS WITH TIES) y
CROSS JOIN LATERAL ({_THINGS}) thing
WHERE {_MISSED}"""
_OPEN: Final = text(
    exceptions.opening(
        _FOUND,
        exceptions.Reopening.IF_CLOSED_BY_ITSELF,
        f"{exceptions.COLUMNS}, data, {exceptions.DESK_COLUMNS}",
    )
)
# How far a watch has come: to now, or to the last deadline of as many as are looked at at once.
_CHECKED: Final = text(f"""
UPDATE watches SET checked_to = found.upto
FROM (SELECT w.name, count(y.id) >= :most AS more,
             CASE WHEN count(y.id) < :most THEN now()
                  ELSE max(y.recorded_at) + make_interval(mins => w.minutes) END AS upto
      FROM ({_WATCHES}) w
      LEFT JOIN LATERAL ({_DUE} ORDER BY t.recorded_at FETCH FIRST :most ROWS WITH TIES) y ON true
      GROUP BY w.name, w.minutes) found
WHERE watches.name = found.name RETURNING found.more
""")
_CLOSE: Final = text(f"""
UPDATE exceptions e SET {exceptions.CLOSED} WHERE e.kind = '{_KIND}' AND e.status = 'open' AND NOT EXISTS (
    SELECT FROM ({_WATCHES}) w JOIN timeline y ON y.id = (e.data->>'event_id')::bigint
    CROSS JOIN (VALUES (coalesce(e.data->>'fulfilment_id', e.data->>'return_id', e.order_id))) thing (id)
    WHERE w.name = e.data->>'watch' AND y.kind = ANY(w.after)
      AND y.recorded_at + make_interval(mins => w.minutes) <= now() AND {_MISSED})
""")
_WATCHING: Final = "SELECT document, checked_to FROM watches ORDER BY name"
_FIELDS: Final = {WatchedThing.ORDER: "", WatchedThing.FULFILMENT: "fulfilment_id", WatchedThing.RETURN: "return_id"}


async def is_due(connection: AsyncConnection) -> bool:
    """Whether a deadline has come since the last look, or something that was missed is still open."""
    watching = await _watching(connection, _WATCHING)
    return bool(await connection.scalar(_IS_DUE, {"watches": watching}))


async def look(connection: AsyncConnection, most: int) -> bool:
    """Open what was missed, of at most so many deadlines of each watch, and close what is made good, does not matter
    any more, or is not watched any more. True if there are more deadlines. In a transaction.
    """
    parameters = {"watches": await _watching(connection, f"{_WATCHING} FOR UPDATE"), "most": most}
    await connection.execute(_OPEN, parameters)
    more = list(await connection.scalars(_CHECKED, parameters))
    await connection.execute(_CLOSE, {"watches": parameters["watches"]})
    return any(more)


async def _watching(connection: AsyncConnection, query: str) -> str:
    """The active watches, and how far each has come, as rows of a parameter."""
    found = [(Watch.model_validate(row.document), row.checked_to) for row in await connection.execute(text(query))]
    return to_rows(
        {
            "name": watch.name,
            "subject": watch.subject,
            "field": _FIELDS[watch.subject],
            "after": list(watch.after),
            "reached": sorted(watch.reached_by),
            "at_store": sorted(watch.reached_at_store_by),
            "minutes": watch.within_minutes,
            "since": checked_to,
            "words": in_words(watch),
            "milestone": watch.milestone,
            "severity": watch.severity,
            "owner_role": watch.owner_role,
            "due_minutes": DUE_MINUTES[watch.severity],
        }
        for watch, checked_to in found
        if watch.active
    )
