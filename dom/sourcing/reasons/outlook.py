"""What comes next for units that could not be sourced."""

from collections.abc import Iterator
from datetime import tzinfo

from dom.sourcing.models import Outcome, SourcingDecision
from dom.sourcing.reasons import words
from dom.sourcing.reasons.never import all_of


def what_follows(decision: SourcingDecision, zone: tzinfo) -> Iterator[str]:
    """Who looks at it, when it is tried again, and when it is given up; days are those of the zone."""
    one = sum([line.quantity for line in decision.unfilled]) == 1
    if decision.outcome is Outcome.CANCELLED:
        yield "What cannot be sourced now is cancelled."
        return
    if decision.outcome is Outcome.QUEUED:
        yield "A member of staff is asked to look at it."
    if decision.next_release is not None:
        yield f"What is not released yet can be sent from {words.day(decision.next_release.astimezone(zone))} on."
    retry = decision.retry
    if all_of(decision.unfilled, decision.ruled_out):
        every, days = words.minutes(retry.after_minutes).removeprefix("1 "), words.count(retry.cancel_after_days, "day")
        yield (
            "Stock does not change that: the order, the places or the rules have to be changed. It is looked at again "
            f"every {every}, and cancelled after {days}."
        )
        return
    every = f"every {words.minutes(retry.after_minutes).removeprefix('1 ')}"
    again = f"as soon as stock comes in, and {every} in any case" if retry.on_stock else every
    days = words.count(retry.cancel_after_days, "day")
    missing = "unit is" if one else "units are"
    yield f"The missing {missing} looked for again {again}; what is not found within {days} is cancelled."
