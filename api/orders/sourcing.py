"""A sourcing decision as the API and the `dom` command show it."""

from typing import Any

from dom.sourcing.explanation.changes import from_record
from dom.sourcing.explanation.recomputing import explained
from dom.sourcing.planning.snapshot_codec import packed_capacity
from store.sourcing.explanations import Kept


def stored_decision(kept: Kept, *, full: bool) -> dict[str, Any]:
    """The decision as it is on record; in full, made again."""
    record = kept.record
    return {
        "attempt": kept.attempt,
        "cause": kept.cause,
        "policy_version": kept.policy_version,
        "first_fulfilment": kept.first_fulfilment,
        "decided_at": kept.decided_at,
        "demand": record.demand,
        "decision": record.decision,
        "snapshot": None if kept.seen is None else _seen(kept.seen, kept.network),
        "to_win": list(from_record(record, kept.names)),
        "explanation": explained(record) if full else None,
    }


def _seen(seen: dict[str, Any], network: str | None) -> dict[str, Any]:
    return {
        "taken_at": seen["taken_at"],
        "network": network,
        "available": {
            sku: {node: units for node, units in zip(seen["nodes"], held, strict=True) if units}
            for sku, held in seen["available"].items()
        },
        "capacity_used": [
            {"node_id": node, "day": day, "service": service, "used": used}
            for node, day, service, used in packed_capacity(seen)
            if used
        ],
        "values": seen.get("values", {}),
    }
