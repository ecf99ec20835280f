"""What inbound goods count for, in SQL: about a row `i` of `inbound` and a row `l` of its `inbound_lines`."""

from typing import Final

OPEN: Final = "i.status IN ('announced', 'in_transit')"
"""Whether more may come."""

EXPECTED: Final = f"CASE WHEN {OPEN} THEN greatest(l.quantity - l.received, 0) ELSE 0 END"
"""Units that are still to come."""

COUNTED: Final = f"(({EXPECTED})::bigint * i.confidence / 100)::int"
"""Units of them that ATP counts on."""

COUNTED_FROM: Final = """CASE WHEN i.due_on >= (statement_timestamp() AT TIME ZONE 'UTC')::date THEN i.due_on
WHEN i.status = 'in_transit' THEN (statement_timestamp() AT TIME ZONE 'UTC')::date END"""
"""The day from which ATP counts on them; null for never.

What is overdue may come today if it is on its way. If nobody has said so it may never have left: it counts for nothing
until it is shipped, received, or announced for another day.
"""
