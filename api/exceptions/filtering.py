"""Which exceptions are asked for: the same parameters of the list and of its counts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, Query

from api.identity import visibility
from api.identity.scopes import needs
from dom.exceptions import ExceptionKind, ExceptionSeverity, OwnerRole
from dom.shared.access import Principal, Scope
from dom.shared.errors import InvalidInput
from services.clock import utc_now
from store.desk.queue import ExceptionFilter
from store.enums import ExceptionStatus

_LONGEST_AGE: Final = 10 * 366 * 24 * 60


@dataclass(frozen=True, slots=True)
class AskedExceptions:
    """What is asked for: as the store takes it, and as the parameters that ask for it."""

    wanted: ExceptionFilter
    parameters: dict[str, str]

    def address(self, **changed: str) -> str:
        """The address of the list of these, with some parameters set."""
        return f"/v1/exceptions?{urlencode(self.parameters | changed)}"


def _asked(
    who: Annotated[Principal, needs(Scope.EXCEPTIONS_READ)],
    *,
    status: Annotated[ExceptionStatus | None, Query(description="Only open ones, or only closed ones.")] = None,
    kind: Annotated[
        ExceptionKind | None, Query(description="Only of this kind.", examples=["message_given_up"])
    ] = None,
    severity: Annotated[ExceptionSeverity | None, Query(description="Only those as bad as this.")] = None,
    owner_role: Annotated[OwnerRole | None, Query(description="Only those in this role's queue.")] = None,
    owner: Annotated[str | None, Query(max_length=64, description="Only those that this person looks after.")] = None,
    mine: Annotated[bool, Query(description="Only those that the caller looks after.")] = False,
    unassigned: Annotated[
        bool | None, Query(description="Only those that nobody looks after, or only those that somebody does.")
    ] = None,
    overdue: Annotated[
        bool | None, Query(description="Only those that are open, past their due time and not put off; or the others.")
    ] = None,
    snoozed: Annotated[bool | None, Query(description="Only those that are put off now; or the others.")] = None,
    channel: Annotated[str | None, Query(max_length=64, description="Only of this channel's orders.")] = None,
    node: Annotated[
        str | None, Query(max_length=64, description="Only of orders with work of this node, or about the node.")
    ] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    older_than_minutes: Annotated[
        int | None, Query(ge=0, le=_LONGEST_AGE, description="Only those that were opened at least so long ago.")
    ] = None,
) -> AskedExceptions:
    visibility.must_be_own(who, "channel", channel=channel)
    visibility.must_be_own(who, "node", node=node)
    if mine and owner is not None:
        raise InvalidInput("say whose: the caller's own or somebody's", field="mine")
    wanted = ExceptionFilter(
        now=utc_now(),
        order_id=order,
        kind=kind,
        severity=severity,
        owner_role=owner_role,
        owner=who.name if mine else owner,
        unassigned=unassigned,
        overdue=overdue,
        snoozed=snoozed,
        status=status,
        channel=channel,
        node_id=node,
        older_than=None if older_than_minutes is None else timedelta(minutes=older_than_minutes),
        limits=who.limits,
    )
    given = {
        "status": status, "kind": kind, "severity": severity, "owner_role": owner_role, "owner": wanted.owner,
        "unassigned": unassigned, "overdue": overdue, "snoozed": snoozed, "channel": channel, "node": node,
        "order": order, "older_than_minutes": older_than_minutes,
    }  # fmt: skip
    return AskedExceptions(wanted, {name: as_parameter(each) for name, each in given.items() if each is not None})


def as_parameter(value: object) -> str:
    """A value as the query of an address has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


Asked = Annotated[AskedExceptions, Depends(_asked)]
"""The filter, as a parameter of an endpoint."""
