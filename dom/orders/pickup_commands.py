"""What may be asked about goods that wait at their node for the customer."""

from datetime import datetime
from typing import Literal

from dom.orders.requested import Requested
from dom.shared.access import EXPIRY


class CountWrongCode(Requested):
    """A wrong code was said for goods that wait for their customer. Raises StepNotPossible for work that does not wait
    for a code.
    """

    verb: Literal["count_wrong_code"] = "count_wrong_code"
    fulfilment_id: str
    actor: str
    at: datetime


class KeepForCollection(Requested):
    """Keep goods that wait for their customer longer. `reminders`: when the customer is to be reminded then; who asks
    leaves them out. Raises StepNotPossible for work that does not wait to be collected, InvalidInput for a time that is
    not later than the present one, or more than a year ahead.
    """

    verb: Literal["keep_for_collection"] = "keep_for_collection"
    fulfilment_id: str
    until: datetime
    actor: str
    at: datetime
    reason: str = ""
    reminders: tuple[datetime, ...] = ()


class RemindOfCollection(Requested):
    """Remind the customer of goods that wait. Raises StepNotPossible where no reminder is due."""

    verb: Literal["remind_of_collection"] = "remind_of_collection"
    fulfilment_id: str
    at: datetime
    actor: str = EXPIRY


class ExpireCollection(Requested):
    """Cancel what was not collected in time. Raises StepNotPossible where the time is not over, or nothing waits, and
    OnHold while a hold keeps the goods from being given out.
    """

    verb: Literal["expire_collection"] = "expire_collection"
    fulfilment_id: str
    at: datetime
    actor: str = EXPIRY


class PutBack(Requested):
    """The node has put goods back on the shelf that were ready for a customer and are not collected. Raises
    StepNotPossible for work of which nothing is to be put back.
    """

    verb: Literal["put_back"] = "put_back"
    fulfilment_id: str
    actor: str
    at: datetime
    reason: str = ""
