"""Rehearsals and shadows."""

from typing import Final

from api.contract.example import Example

REHEARSAL_REQUESTS: Final[dict[str, Example]] = {
    "a draft over the last month": {
        "which": "draft:cheaper-splits",
        "orders": "last-30-days",
    },
    "the live policy again": {"orders": "last-500-orders"},
    "a policy as it is": {
        "orders": "last-7-days",
        "policy": {"name": "near", "strategies": [{"name": "everything", "cost": {"distance_per_100_km": 40}}]},
    },
}
_ID: Final = "rehearsal-0f6b1c2d3e4f5a6b7c8d"
REHEARSAL: Final[Example] = {
    "id": _ID,
    "status": "queued",
    "policy_name": "draft cheaper-splits, revision 3",
    "orders": "last-30-days",
    "total": 0,
    "done": 0,
    "detail": "",
    "asked_by": "kim@shop.example",
    "created_at": "2026-03-02T10:15:00Z",
    "started_at": None,
    "finished_at": None,
    "figures": None,
    "links": {"self": f"/v1/ofl/rehearsals/{_ID}", "report": f"/v1/ofl/rehearsals/{_ID}/report"},
}
_FIGURES: Final[Example] = {
    "orders": 200,
    "orders_planned": 200,
    "orders_split": 16,
    "split_rate": 0.08,
    "shipments": 218,
    "shipments_per_order": 1.09,
    "units": 35579,
    "units_unfilled": 0,
    "units_cancelled": 0,
    "cost": 1568293,
    "terms": {"freight": 1423312, "handling": 131000, "split": 4500, "distance": 3755, "priority": 5726},
    "terms_weighed": {"freight": 1423312, "handling": 131000, "split": 4500, "distance": 3755, "priority": 5726},
    "money": 1554312,
    "weighed": 1568293,
    "units_priced": 35579,
    "orders_not_priced": 0,
    "unpriced": 0,
    "distance_km": 430.7,
    "promised_days": 4.44,
    "promised_days_p90": 7.11,
    "orders_with_a_date": 3,
    "orders_late": 0,
}
REHEARSAL_DONE: Final[Example] = {
    **REHEARSAL,
    "status": "done",
    "total": 205,
    "done": 205,
    "started_at": "2026-03-02T10:15:01Z",
    "finished_at": "2026-03-02T10:15:06Z",
    "figures": {"orders_changed": 0, "decisions_the_same": 205, "baseline": _FIGURES, "draft": _FIGURES},
}
REHEARSAL_LIST: Final[Example] = {"items": [{**REHEARSAL_DONE, "figures": None}], "next_cursor": None}
_SIDE: Final[Example] = {
    "currency": "GBP",
    "total": _FIGURES,
    "by_channel": {"web": _FIGURES},
    "by_strategy": {"standard": _FIGURES},
    "nodes": [
        {
            "node_id": "dc-daventry",
            "name": "Daventry",
            "fulfilments": 180,
            "units": 31000,
            "peak": 61,
            "peak_day": "2026-02-03",
            "capacity": 400,
        }
    ],
}
_PLAN: Final[Example] = {
    "nodes": ["dc-daventry", "dc-doncaster"],
    "services": ["parcelway standard", "parcelway standard"],
    "strategy": "standard",
    "unfilled": 0,
    "cost": 1890,
    "weighed": 1890,
    "money": 1612,
    "promised_by": "2026-02-06T20:00:00Z",
    "reasons": ["Daventry and Doncaster ship it for 18.90 GBP."],
}
REHEARSAL_REPORT: Final[Example] = {
    "made": {
        "baseline": "version 3 (default)",
        "draft": "draft cheaper-splits, revision 3",
        "span": {"said": "last-30-days", "days": 30, "orders": None, "since": None, "before": None},
        "first": "2026-02-01T08:26:00Z",
        "last": "2026-03-02T09:58:00Z",
        "made_at": "2026-03-02T10:15:06Z",
        "orders": 200,
        "decisions": 205,
        "not_rehearsed": 0,
        "reoptimisations": 0,
        "versions": {"3": 205},
        "verdicts": {"same": 205},
        "other_prices": True,
    },
    "baseline": _SIDE,
    "draft": _SIDE,
    "orders_changed": 1,
    "changed": [
        {
            "order_id": "web-536389",
            "channel": "web",
            "cause": "order captured",
            "placed_at": "2026-02-03T10:03:00Z",
            "saves": 140,
            "leaves": 0,
            "baseline": _PLAN,
            "draft": {**_PLAN, "nodes": ["dc-doncaster"], "weighed": 1750, "cost": 1625, "money": 1590},
        }
    ],
    "not_the_same": [],
}
SHADOW_REQUESTS: Final[dict[str, Example]] = {
    "the draft of that name": {},
    "an earlier version": {"which": "1"},
}
SHADOW: Final[Example] = {
    "name": "cheaper-splits",
    "running": True,
    "started_by": "kim@shop.example",
    "started_at": "2026-03-02T10:15:00Z",
    "ended_by": None,
    "ended_at": None,
    "currency": "GBP",
    "live_currency": "GBP",
    "decisions": 1204,
    "undecided": 0,
    "differs": 31,
    "cost": 9413020,
    "live_cost": 9421240,
    "unfilled": 14,
    "live_unfilled": 14,
    "differences": [
        {
            "order_id": "web-536389",
            "attempt": 1,
            "decided_at": "2026-03-02T10:20:00Z",
            "live_nodes": ["dc-daventry"],
            "nodes": ["dc-daventry", "dc-doncaster"],
            "live_strategy": "standard",
            "strategy": "standard",
            "live_cost": 1890,
            "live_currency": "GBP",
            "cost": 1750,
            "live_unfilled": 0,
            "unfilled": 0,
            "problem": "",
        }
    ],
}
SHADOW_STOPPED: Final[Example] = {
    **SHADOW,
    "running": False,
    "ended_by": "kim@shop.example",
    "ended_at": "2026-03-09T10:15:00Z",
    "differences": None,
}
SHADOW_LIST: Final[Example] = {"items": [{**SHADOW, "differences": None}]}
