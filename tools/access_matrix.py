"""Who may call what, as a page: `python -m tools.access_matrix` writes docs/access.md.

The scopes come from the routes, the roles from `dom/shared/access.py`. What happens with what is another's is written
here, by operation; `tests/api/access/test_matrix.py` asks the running API for every cell.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.app import create_app
from api.identity.scopes import PUBLIC, declared, served
from dom.shared.access import LIMITED_BY, SCOPES, Role, Scope
from settings import Settings

PAGE: Final = Path(__file__).parent.parent / "docs" / "access.md"
NAMED: Final = "403"
"""It is named by the caller, who may not name it."""
HIDDEN: Final = "404"
"""It is answered as if it were not there."""
LEFT_OUT: Final = "left out"
"""It stands in no list."""
OPEN: Final = ""
"""It belongs to no channel, node or carrier, or that does not matter."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a caller gets who is limited to another channel, node or carrier."""

    channel: str = OPEN
    node: str = OPEN
    carrier: str = OPEN


_OF_ORDER: Final = Foreign(HIDDEN, HIDDEN)
_LIST: Final = Foreign(LEFT_OUT, LEFT_OUT)
_CHANNEL: Final = Foreign(channel=NAMED)
_NODE: Final = Foreign(node=NAMED)
_OF_NODE: Final = Foreign(node=HIDDEN)
_EVERYTHING: Final = Foreign(NAMED, NAMED)
RULES: Final[dict[str, Foreign]] = {
    "captureOrder": _EVERYTHING,
    "listOrders": _LIST,
    "getOrder": _OF_ORDER,
    "getOrderTimeline": _OF_ORDER,
    "getOrderSourcing": _OF_ORDER,
    "cancelOrder": _OF_ORDER,
    "changeOrder": _OF_ORDER,
    "listOrderChanges": _OF_ORDER,
    "placeHold": _OF_ORDER,
    "releaseHold": _OF_ORDER,
    "listOrderHolds": _OF_ORDER,
    "addOrderNote": _OF_ORDER,
    "listOrderNotes": _OF_ORDER,
    "prioritiseOrder": _OF_ORDER,
    "reallocateStock": _EVERYTHING,
    "resendMessage": _OF_ORDER,
    "listHolds": _LIST,
    "startBulk": Foreign(),
    "listBulk": _LIST,
    "getBulk": _OF_ORDER,
    "listBulkItems": _OF_ORDER,
    "stopBulk": _OF_ORDER,
    "resumeBulk": _OF_ORDER,
    "putHoldPolicy": _EVERYTHING,
    "listFulfilments": _LIST,
    "getFulfilmentLabel": _OF_ORDER,
    **{f"{step}_fulfilment": _OF_ORDER for step in ("accept", "reject", "pick", "pack", "hand_over", "collect")},
    **{f"{verb}Fulfilment": _OF_ORDER for verb in ("arrived", "lose", "deliver", "reship", "move", "split", "merge")},
    "sourceFulfilmentAgain": _OF_ORDER,
    "receiveFulfilmentAtStore": _OF_ORDER,
    **{f"{verb}Fulfilment": _OF_ORDER for verb in ("collected", "keep", "putBack", "ship")},
    "listCancellationRequests": _LIST,
    "listCustomerQuestions": _LIST,
    "answerCustomerQuestion": _OF_ORDER,
    "grantCancellationRequest": _OF_ORDER,
    "refuseCancellationRequest": _OF_ORDER,
    "listShipments": Foreign(LEFT_OUT, LEFT_OUT, LEFT_OUT),
    "reportCarrierEvents": Foreign(carrier=NAMED),
    "listMessages": _LIST,
    "listExceptions": _LIST,
    "countExceptions": _LIST,
    "getException": _OF_ORDER,
    **{
        f"{step}Exception": _OF_ORDER
        for step in ("assign", "take", "giveBack", "snooze", "comment", "resolve", "reopen")
    },
    "actOnException": _OF_ORDER,
    "putWatch": _EVERYTHING,
    "deleteWatch": _EVERYTHING,
    "getAvailability": Foreign(NAMED, LEFT_OUT),
    "queryAvailability": Foreign(NAMED, LEFT_OUT),
    "promiseAvailability": Foreign(NAMED, NAMED),
    "listAvailabilityChanges": Foreign(NAMED, NAMED),
    "streamAvailabilityChanges": Foreign(NAMED, NAMED),
    "holdUnits": Foreign(NAMED, NAMED),
    "getReservation": _OF_ORDER,
    "extendReservation": _OF_ORDER,
    "releaseReservation": _OF_ORDER,
    "adjustInventory": _NODE,
    "countInventory": _NODE,
    "listImports": Foreign(node=LEFT_OUT),
    "getImport": _OF_NODE,
    "getImportProblems": _OF_NODE,
    "cancelImport": _OF_NODE,
    "putSafetyStocks": _NODE,
    "putMarkDowns": _NODE,
    "listStockValues": Foreign(node=LEFT_OUT),
    "announceInbound": _NODE,
    "listInbound": Foreign(node=LEFT_OUT),
    "getInbound": _OF_NODE,
    "shipInbound": _OF_NODE,
    "receiveInbound": _OF_NODE,
    "cancelInbound": _OF_NODE,
    "sendChannelMessage": _CHANNEL,
    "listChannelMessages": Foreign(channel=LEFT_OUT),
    "getInboxBalance": Foreign(channel=LEFT_OUT),
    "getChannelMessage": Foreign(channel=HIDDEN),
    "replayChannelMessage": Foreign(channel=HIDDEN),
    "dismissChannelMessage": Foreign(channel=HIDDEN),
    "checkChannelMessage": Foreign(channel=HIDDEN),
    "replayAlike": _CHANNEL,
    "getCorrectionRates": Foreign(channel=LEFT_OUT),
    "acceptCorrection": Foreign(channel=HIDDEN),
    "rejectCorrection": Foreign(channel=HIDDEN),
    "listCorrectionRules": _CHANNEL,
    **{f"{verb}CorrectionRule": _CHANNEL for verb in ("make", "rehearse", "publish", "retire")},
    **{f"{verb}Mapping": _CHANNEL for verb in ("get", "publish", "lint", "preview")},
    "listMappings": _CHANNEL,
    "listConnections": Foreign(channel=LEFT_OUT),
    **{f"{verb}Connection": _CHANNEL for verb in ("get", "put", "delete", "pause", "resume")},
    "readFeed": _CHANNEL,
    "listChannels": Foreign(channel=LEFT_OUT),
    "getChannel": _CHANNEL,
    "putChannel": _CHANNEL,
    "getChannelRules": _CHANNEL,
    "putChannelRules": _CHANNEL,
    "listNodes": Foreign(node=LEFT_OUT),
    "getNode": _NODE,
    "putNode": _NODE,
    "requestReturn": _OF_ORDER,
    "listReturns": _LIST,
    "getReturn": _OF_ORDER,
    "receiveReturn": _OF_ORDER,
    "inspectReturn": _OF_ORDER,
    "cancelReturn": _OF_ORDER,
    "closeReturn": _OF_ORDER,
    **dict.fromkeys(
        (
            "startRehearsal",
            "listRehearsals",
            "getRehearsal",
            "getRehearsalReport",
            "deleteRehearsal",
            "listShadows",
            "startShadow",
            "getShadow",
            "stopShadow",
        ),
        _EVERYTHING,
    ),
    "createSigningSecret": _EVERYTHING,
    "listSigningSecrets": _LIST,
    "getSigningSecret": _EVERYTHING,
    "rotateSigningSecret": _EVERYTHING,
    "revokeSigningSecret": _EVERYTHING,
    "createApiKey": _EVERYTHING,
    "listApiKeys": _LIST,
    "getApiKey": _EVERYTHING,
    "rotateApiKey": _EVERYTHING,
    "revokeApiKey": _EVERYTHING,
    "listAuditLog": _EVERYTHING,
}
"""By operation. What is not named is open to whoever has the scope."""
DIMENSIONS: Final[dict[Role, tuple[str, ...]]] = {
    role: tuple(limit.removesuffix("s") for limit in limits) for role, limits in LIMITED_BY.items()
}
"""By role, what its limit can be: of partners it is always there, of people if their key or token says so."""


INTRODUCTION: Final = """
Made by `python -m tools.access_matrix` from the routes and `dom/shared/access.py`. Every cell is asked of the running
API by `tests/api/access/test_matrix.py`.

`yes`: the role has the scope, and calls the route for its own. Without it the answer is 403, with the scope in `data`.
The last three columns say what a caller with the scope gets who is limited to *another* channel, node or carrier:
`403` for one that it names, `404` as if it were not there, `left out` of a list. Empty: it belongs to none, or that
does not matter. Keys of channels, nodes and carriers always have their limit, others if their key or token says so.
Of a transfer the node it leaves says that it was shipped, the node where it arrives what was received; announcing it
and calling it off needs access to both. Rows of a file of stock that are of another's node are refused, each by itself.
Changes of availability, and plans from nodes that are not named, may concern any node: whoever is limited to nodes may
not ask for them, whichever his nodes are. Availability is then of his own nodes alone. Rehearsals, shadows and the
audit log are of all channels and nodes, and so is writing watches: for callers without limits. An action about an
exception needs the scope of what it does as well.

A carrier that has a secret signs what it reports, beside sending its key; else the answer is 401 `bad-signature`. API
keys are kept as hashes; these secrets as they are, in the table `signing_secrets`, for a signature can be checked only
with the secret it was made with ([why](decisions/0057-signed-reports.md)).
""".strip()


@dataclass(frozen=True, slots=True)
class Row:
    """A route, the scope it needs, and what it does with what is another's."""

    method: str
    path: str
    operation: str
    scope: Scope
    foreign: Foreign

    def allows(self, role: Role) -> bool:
        """Whether the role has the scope."""
        return self.scope in SCOPES[role]


def matrix() -> list[Row]:
    """Every route that needs a caller, in the sequence of the document."""
    rows = []
    for route in served(create_app(Settings())):
        scopes = declared(route.original_route)
        if route.path in PUBLIC or not scopes:
            continue
        (method,) = route.methods or {""}
        path = str(route.path_format)
        rows.append(Row(method, path, route.operation_id, scopes[0], RULES.get(route.operation_id, Foreign())))
    return rows


def page() -> str:
    """The page, as it stands in the repository."""
    roles = list(Role)
    lines = [
        "# Who may call what",
        "",
        *INTRODUCTION.splitlines(),
        "",
        f"| route | scope | {' | '.join(roles)} | another channel's | another node's | another carrier's |",
        f"|---|---|{'---|' * len(roles)}---|---|---|",
    ]
    for row in matrix():
        held = " | ".join("yes" if row.allows(role) else "" for role in roles)
        foreign = " | ".join((row.foreign.channel, row.foreign.node, row.foreign.carrier))
        lines.append(f"| `{row.method} {row.path}` | `{row.scope}` | {held} | {foreign} |")
    public = ", ".join(f"`{path}`" for path in sorted(PUBLIC))
    return "\n".join([*lines, "", f"Public, for everybody: {public}.", ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
