"""What is free and what a channel may have of it, in SQL: for availability, the planner's snapshot and reports.

    free    = on_hand - reserved - live soft reservations - safety
    allowed = (free - the channel's buffer) * the channel's share / 100, never below 0

Both are functions of the database, `free_units` and `allowed_units` (store/migrations/sql), which what changes balances
uses under its locks: `take_soft` and `reserve_firm`, the queue of waiting orders, transfers. In Python they are
`free` and `allowed` of `dom.stock.atp`. ATP adds what is inbound and due
(`store.availability`). All of it is about the row `s` of `stock`; a channel's rules are found by the bind parameter
`:channel`.
"""

from typing import Final

LAPSED: Final = "r.kind = 'soft' AND r.status = 'active' AND r.expires_at <= statement_timestamp()"
"""Whether the reservation `r` is a soft one that holds nothing any more, though nobody has reclaimed it yet."""

LIVE_SOFT: Final = f"""
CASE WHEN s.reserved_soft = 0 THEN 0 ELSE s.reserved_soft - coalesce((
    SELECT sum(r.quantity) FROM reservations r WHERE r.node_id = s.node_id AND r.sku = s.sku AND {LAPSED}), 0) END
"""
"""Units softly reserved now, without what lapsed. For reads; a reservation reclaims under its lock."""


def rules(channel: str = "CAST(:channel AS text)", row: str = "s") -> str:
    """Joins the channel's rules for `row`, from the most specific to the most general."""
    wanted = ((f"{row}.sku", f"{row}.node_id"), (f"{row}.sku", "''"), ("''", f"{row}.node_id"), ("''", "''"))
    return "\n".join(
        f"LEFT JOIN channel_rules rule_{n} ON rule_{n}.channel = {channel} AND rule_{n}.sku = {sku} "
        f"AND rule_{n}.node_id = {node}"
        for n, (sku, node) in enumerate(wanted, 1)
    )


BUFFER: Final = "coalesce(rule_1.buffer, rule_2.buffer, rule_3.buffer, rule_4.buffer, 0)"
SHARE: Final = """CASE WHEN coalesce(rule_1.excluded, rule_2.excluded, rule_3.excluded, rule_4.excluded, false) THEN 0
ELSE coalesce(rule_1.share, rule_2.share, rule_3.share, rule_4.share, 100) END"""


def allowed(free: str, buffer: str = BUFFER, share: str = SHARE) -> str:
    """Units of `free` that the channel may have; the database's own function, so that reserving counts the same."""
    return f"allowed_units({free}, {buffer}, {share})"


FREE_FOR_OFL: Final = f"free_units(s.on_hand, s.reserved, {LIVE_SOFT}, s.safety_stock)"
"""What OFL may take."""
FREE_TO_PROMISE: Final = f"free_units(s.on_hand, s.reserved, {LIVE_SOFT}, greatest(s.safety_stock, s.promise_safety))"
"""What a channel may be promised."""
