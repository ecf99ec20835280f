"""What each kind of exception means: how bad it is, who looks at it, until when, and what to do."""

from collections.abc import Mapping
from typing import Final

from dom.exceptions.actions import ExceptionAction
from dom.exceptions.kinds import ExceptionInfo, ExceptionKind, ExceptionSeverity, OwnerRole

UNSOURCED: Final = frozenset(
    {ExceptionKind.BACKORDER, ExceptionKind.CANNOT_BE_SOURCED, ExceptionKind.SOURCING_NEEDS_A_PERSON}
)
"""Kinds that units without a node are the cause of. They close themselves once no unit of the order waits."""
WITHOUT_PROCESS: Final = frozenset(
    {
        ExceptionKind.NO_PROCESS,
        ExceptionKind.PROCESS_DIFFERS,
        ExceptionKind.NOT_IN_STORE,
    }
)
"""Kinds of an order or a return beside its process. They close themselves once both agree."""

_DO: Final = ExceptionAction

CATALOGUE: Final[Mapping[ExceptionKind, ExceptionInfo]] = {
    ExceptionKind.BACKORDER: ExceptionInfo(
        ExceptionSeverity.MINOR,
        OwnerRole.SUPPORT,
        "units lost their node and no other has stock",
        "nothing, if stock comes: the order looks again by itself, and this closes itself. Otherwise cancel the line",
        due_minutes=3 * 24 * 60,
        actions=(_DO.SOURCE_AGAIN, _DO.CANCEL_WAITING),
        closes_itself=True,
    ),
    ExceptionKind.CANNOT_BE_SOURCED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "no node may ever give units of an order, whatever it holds; the detail says what rules out which places",
        "change the network or the policy (the order looks again by itself, and this closes itself), or cancel "
        "the line and tell the customer",
        actions=(_DO.SOURCE_AGAIN, _DO.CANCEL_WAITING),
        closes_itself=True,
    ),
    ExceptionKind.WORK_AT_A_NODE: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "a node changed and cannot do work it has (switched off, no pick-up, no service, not equipped for the "
        "goods), or not on its day (closed, an earlier cut-off): the detail names node, work and units",
        "if it was begun, have the node finish or reject it; it closes itself",
        due_minutes=4 * 60,
        actions=(_DO.REJECT_WORK,),
        closes_itself=True,
    ),
    ExceptionKind.NOT_ACCEPTED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "a node does not accept work in time, and it is not taken away any more: the order lost work so before, as "
        "often as the policy's `acceptance` says",
        "ask the node to accept or reject it, or have it rejected in its name; it closes itself",
        due_minutes=2 * 60,
        actions=(_DO.REJECT_WORK,),
        closes_itself=True,
    ),
    ExceptionKind.CANCELLATION_NOT_GRANTED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "a node refused to have units cancelled that it had picked, did not answer in time, or handed them over first: "
        "they go to a customer who does not want them; `data` names request, work and units",
        "talk to the node, and cancel at once (`POST /v1/orders/{id}/cancel`, `mode` `possible`) while the goods are "
        "there; else tell the customer that they come, and how to send them back",
        due_minutes=2 * 60,
    ),
    ExceptionKind.COLLECTION_LOCKED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "too many wrong codes were said for goods that wait for their customer: no code counts any more; `data` names "
        "work and node",
        "ask the node who stands there. If it is the customer, say `POST /v1/fulfilments/{id}/collected` with how you "
        "know it, and the node gives the goods out. It closes itself once they are collected, cancelled or expired",
        due_minutes=30,
        closes_itself=True,
    ),
    ExceptionKind.BOOKING_REFUSED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "a carrier does not take what a node packed; the detail says why, and the units are sourced again",
        "correct the tariff, the SKU's size or the policy, so that it is not planned so again; of what is too much for "
        "one booking cancel units, or send them outside the system",
    ),
    ExceptionKind.PARCEL_LOST: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "the carrier lost it; the units are sourced again",
        "claim with the carrier. If it arrives after all: the carrier's report puts it right by itself while no "
        "node has begun on the replacement, else see `report_out_of_turn`. If it comes back: a return waits for its "
        "goods, nothing is refunded, and there is nothing to claim",
        due_minutes=24 * 60,
        actions=(_DO.ARRIVED,),
    ),
    ExceptionKind.PARCEL_RETURNED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "the parcel comes back; its units count as cancelled, and a return waits for its goods; `data` names both",
        "send it once more (`POST /v1/fulfilments/{id}/reship`), or leave it: its node receives and inspects the goods "
        "(`POST /v1/returns/{id}/receive`, `.../inspect`), which records the refund. It closes itself with either. If "
        "goods do not come back, refund outside the system and claim them from the carrier",
        due_minutes=3 * 24 * 60,
        actions=(_DO.BOOK_IN,),
        closes_itself=True,
    ),
    ExceptionKind.HOLD_OVERDUE: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "nobody released an order's hold by the time it was due; `data` names hold and type",
        "decide: release the hold (`POST /v1/orders/{id}/holds/{hold}/release`), or cancel; it closes itself then",
    ),
    ExceptionKind.SENT_ON_HOLD: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "the carrier has a parcel of an order whose hold blocks the hand-over",
        "ask the carrier to bring it back, or release the hold and let it go on",
    ),
    ExceptionKind.REPORT_OUT_OF_TURN: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "a node or carrier reported what cannot be true any more: of a booking that was taken back, of work that ended",
        'ask them. `data` names node and units: if it is true and `on_hand` is "too high", take the units out '
        '(`POST /v1/inventory/adjustments`), if "too low", take them in. A lost parcel that was delivered: `POST '
        "/v1/fulfilments/{id}/arrived` takes its replacement back while that has not left",
        actions=(_DO.ARRIVED, _DO.CORRECT_STOCK),
    ),
    ExceptionKind.RETURN_ARRIVED_LATE: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.SUPPORT,
        "goods came of a return that was cancelled, closed or had expired; `data` names return and units, of a "
        "parcel also the fulfilment, and nothing was booked",
        "of what a customer sends: `POST /v1/returns` for these units (they are free unless another return has them) "
        "and receive them there; or send them back. Of a parcel that its carrier brought back (`fulfilment_id`): book "
        "them in (`POST /v1/inventory/adjustments`), and refund them outside the system unless they were sent again, "
        "once more or when the parcel was lost",
    ),
    ExceptionKind.RETURN_NOT_INSPECTED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "goods of a return arrived and were not inspected by its `expires_at`",
        "have the node inspect them (`POST /v1/returns/{id}/inspect`); it closes itself then",
        due_minutes=24 * 60,
        closes_itself=True,
    ),
    ExceptionKind.MESSAGE_REFUSED: ExceptionInfo(
        ExceptionSeverity.MINOR,
        OwnerRole.SUPPORT,
        "a mail or webhook was refused for good",
        "correct the address outside, then send it again (`POST /v1/messages/{id}/resend`, which closes this)",
    ),
    ExceptionKind.MESSAGE_GIVEN_UP: ExceptionInfo(
        ExceptionSeverity.MINOR,
        OwnerRole.OPERATOR,
        "nobody took the message for three days, or it could not be written; the detail says why",
        "mend the mail server, the webhook or the order's data, then send it again (`POST /v1/messages/{id}/resend`, "
        "which closes this)",
    ),
    ExceptionKind.LABEL_TRANSLITERATED: ExceptionInfo(
        ExceptionSeverity.MINOR,
        OwnerRole.SUPPORT,
        "a label shows a name or address in Roman letters, because no font has the script",
        "compare with the order before the parcel leaves; write on it what the carrier needs",
        due_minutes=2 * 60,
    ),
    ExceptionKind.MESSAGE_UNCERTAIN: ExceptionInfo(
        ExceptionSeverity.MINOR,
        OwnerRole.SUPPORT,
        "a worker ended while a mail was under way, or its sender failed in an unknown way: it may or may not have "
        "arrived",
        "look at the mail server's log for its `Message-ID`, or simply send it again (`POST /v1/messages/{id}/resend`, "
        "which closes this)",
    ),
    ExceptionKind.COUNT_BELOW_RESERVED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "a count found less than orders have reserved; on hand fell to what is reserved, and is too high by the "
        "shortfall",
        "look on the shelf; cancel or re-source the orders that will not be filled (a short pick does it), then "
        "count again",
    ),
    ExceptionKind.TRANSFER_SHORT: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "a transfer was closed and units did not come",
        "ask both nodes; if they turn up, adjust; count the origin if they never left",
    ),
    ExceptionKind.TRANSFER_OVER: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "a transfer brought more than was sent",
        "the origin's balance is too high by that: count it",
    ),
    ExceptionKind.BACKORDER_NO_PROCESS: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "stock came for an order whose process does not run",
        "`dom orders revive ORDER`; it stands in line again then",
        actions=(_DO.REVIVE,),
        closes_itself=True,
    ),
    ExceptionKind.STOCK_DIFFERENCE: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "a difference a repair could not mend; the detail says why",
        'see "The books disagree"; it closes itself when a later repair can',
        closes_itself=True,
    ),
    ExceptionKind.WEBHOOK_STUCK: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "a channel's receiver has taken nothing for an hour",
        "wrong address or key: `PUT /v1/channels/{id}`; it goes on by itself",
    ),
    ExceptionKind.SOURCING_NEEDS_A_PERSON: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.PLANNER,
        "the policy's strategy (named in the detail) wants a person to look at units no node can give",
        "receive stock, change the policy, or cancel the line",
        actions=(_DO.SOURCE_AGAIN, _DO.CANCEL_WAITING),
        closes_itself=True,
    ),
    ExceptionKind.REOPTIMISED_NO_PROCESS: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "an order's work was given to other nodes, but no process runs for the order",
        "`dom orders revive ORDER`",
        actions=(_DO.REVIVE,),
        closes_itself=True,
    ),
    ExceptionKind.NO_PROCESS: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "an order or return is open (a final order too, while a booking is not taken back), and "
        "its process was terminated or lost",
        "`dom orders revive ORDER`; the exception closes itself",
        actions=(_DO.REVIVE,),
        closes_itself=True,
    ),
    ExceptionKind.PROCESS_DIFFERS: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "a process does not say what the store says; the detail names it",
        "after a restore `dom orders revive ORDER` (the store counts); otherwise look first whether a step is "
        "stuck in a retry. It closes itself once both agree",
        actions=(_DO.REVIVE,),
        closes_itself=True,
    ),
    ExceptionKind.PROCESS_STUCK: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "a step of an order's or return's process fails again and again by a defect, and what comes after it waits; "
        "the detail names step and error",
        "mend the data it names, or run a version without the defect: it is tried again at least hourly, at once after "
        "`dom orders revive ORDER`, and this closes itself",
    ),
    ExceptionKind.NOT_IN_STORE: ExceptionInfo(
        ExceptionSeverity.CRITICAL,
        OwnerRole.OPERATOR,
        "an order or return ended in Temporal, and the store does not hold it: an older store was restored",
        'ask node and customer, then `dom orders revive ORDER` (see "Backup and restore", step 5). It closes '
        "itself once the store holds it",
        actions=(_DO.REVIVE,),
        closes_itself=True,
    ),
    ExceptionKind.MILESTONE_MISSED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "a watch's time is over: an order, its work or its return did not reach a milestone in time; severity and role "
        "are the watch's, `data` names it",
        "ask whoever is to do it (the detail says what is waited for); work that its node has not picked can be taken "
        "from it. It closes itself once the milestone is reached, or cannot be any more",
        actions=(_DO.REJECT_WORK,),
        closes_itself=True,
    ),
    ExceptionKind.QUARANTINE_SHARE: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "more of what a channel sent in the last hour waits in quarantine than its mapping's `corrections` allows",
        "`dom quarantine list` shows what is wrong; mend the mapping, or repair one and replay all alike. It closes "
        "itself once the share has fallen",
        due_minutes=2 * 60,
        closes_itself=True,
    ),
    ExceptionKind.CORRECTIONS_REJECTED: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "people rejected more of what a rule corrected by itself in a channel's messages of seven days than one in two "
        "hundred, and three at least",
        "look at what it changed (`GET /v1/inbox/corrections/rates`), and raise its threshold or set it to `never` in "
        "the mapping's `corrections`, or retire it. It closes itself once the share has fallen",
        closes_itself=True,
    ),
    ExceptionKind.CHANNEL_UNREACHABLE: ExceptionInfo(
        ExceptionSeverity.MAJOR,
        OwnerRole.OPERATOR,
        "a channel's platform could not be read for twenty minutes: it is away, or refuses our credentials or what we "
        "ask",
        "`dom channels show CHANNEL` says why. Mend its settings or secrets, or pause it until the platform is back. "
        "It is tried every fifteen minutes, and closes itself with the next page that is read",
        due_minutes=2 * 60,
        closes_itself=True,
    ),
}


_INFO: Final[Mapping[str, ExceptionInfo]] = {kind.value: info for kind, info in CATALOGUE.items()}
OF_ANOTHER_VERSION: Final = ExceptionInfo(
    ExceptionSeverity.MAJOR,
    OwnerRole.OPERATOR,
    "another version of the system opened it, and this one does not know the kind",
    "read the detail; the runbook of the version that opened it says more",
)
"""What belongs to a kind that this version does not know."""


def info_of(kind: str) -> ExceptionInfo:
    """What belongs to a kind as it is stored, also to one that only another version knows."""
    return _INFO.get(kind, OF_ANOTHER_VERSION)
