"""Access: roles, scopes, and who a caller is. What a role may do is the table `SCOPES`, and nothing else.

A scope says which routes a caller may use. A limit says of which channels, nodes or carriers it may see and change
something there. A role is a set of scopes; the roles of channels, nodes and carriers cannot be without their limit.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

SYSTEM: Final = "system:"
"""How the names of our own processes begin, where they act by themselves. No caller can have such a name."""
OFL: Final = f"{SYSTEM}ofl"
"""The policy, where it decides or gives up by itself."""
ALLOCATION: Final = f"{SYSTEM}allocation"
"""Giving what came in to the orders that wait for it."""
REALLOCATION: Final = f"{SYSTEM}reallocation"
"""Giving stock of orders that can wait to dearer ones in danger."""
NETWORK: Final = f"{SYSTEM}network"
"""What changes because a node or SKU did."""
TEMPORAL: Final = f"{SYSTEM}temporal"
"""Somebody at the Temporal UI, CLI or API; who, Temporal does not say."""
PROCESSES: Final = f"{SYSTEM}processes"
"""An order's process that runs again."""
TIMEOUT: Final = f"{SYSTEM}timeout"
"""Work that a node did not accept in time."""
EXPIRY: Final = f"{SYSTEM}expiry"
"""What ends because its time is over."""
SCREENING: Final = f"{SYSTEM}screening"
"""The hold policy's rules."""
SEED: Final = f"{SYSTEM}seed"
"""The sample network that an empty database is filled with."""
CUSTOMER: Final = "customer:link"
"""The customer, by a link that was mailed to him. No caller can have such a name."""
MAX_NAME: Final = 64
_ONCE_OURS: Final = frozenset({"ofl", "allocation", "network", "temporal", "seed", "clock"})
"""What our own processes were called before; entries of the ledger still say so."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+/|-]*")


class Role(StrEnum):
    """What a caller is."""

    CHANNEL = "channel"
    NODE = "node"
    CARRIER = "carrier"
    SUPPORT = "support"
    SUPERVISOR = "supervisor"
    PLANNER = "planner"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What may be done. Every route needs one of these, or is public."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ORDERS_CANCEL = "orders:cancel"
    ORDERS_HOLD = "orders:hold"
    ORDERS_EDIT = "orders:edit"
    ORDERS_BULK = "orders:bulk"
    ORDERS_NOTE = "orders:note"
    ORDERS_PRIORITISE = "orders:prioritise"
    INBOX_READ = "inbox:read"
    INBOX_WORK = "inbox:work"
    ORDERS_REVIVE = "orders:revive"
    SOURCING_READ = "sourcing:read"
    RETURNS_READ = "returns:read"
    RETURNS_WRITE = "returns:write"
    RETURNS_WORK = "returns:work"
    RESERVATIONS_READ = "reservations:read"
    RESERVATIONS_WRITE = "reservations:write"
    AVAILABILITY_READ = "availability:read"
    FULFILMENTS_READ = "fulfilments:read"
    FULFILMENTS_WORK = "fulfilments:work"
    FULFILMENTS_CORRECT = "fulfilments:correct"
    FULFILMENTS_DIRECT = "fulfilments:direct"
    MESSAGES_RESEND = "messages:resend"
    SHIPMENTS_READ = "shipments:read"
    SHIPMENTS_REPORT = "shipments:report"
    EXCEPTIONS_READ = "exceptions:read"
    EXCEPTIONS_WORK = "exceptions:work"
    WATCHES_WRITE = "watches:write"
    STOCK_READ = "stock:read"
    STOCK_WRITE = "stock:write"
    STOCK_PLAN = "stock:plan"
    INBOUND_READ = "inbound:read"
    INBOUND_WRITE = "inbound:write"
    INBOUND_WORK = "inbound:work"
    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"
    NETWORK_READ = "network:read"
    NETWORK_WRITE = "network:write"
    SKUS_READ = "skus:read"
    SKUS_WRITE = "skus:write"
    POLICY_READ = "policy:read"
    POLICY_WRITE = "policy:write"
    POLICY_PUBLISH = "policy:publish"
    ACCESS_MANAGE = "access:manage"
    ACCESS_AUDIT = "access:audit"


_S = Scope
_CHANNEL: Final = frozenset(
    {
        _S.ORDERS_READ,
        _S.ORDERS_WRITE,
        _S.ORDERS_CANCEL,
        _S.ORDERS_HOLD,
        _S.ORDERS_EDIT,
        _S.RETURNS_READ,
        _S.RETURNS_WRITE,
        _S.RESERVATIONS_READ,
    }
    | {_S.RESERVATIONS_WRITE, _S.AVAILABILITY_READ, _S.SHIPMENTS_READ, _S.CHANNELS_READ, _S.SKUS_READ}
    | {_S.INBOX_READ}
)
_NODE: Final = frozenset(
    {_S.FULFILMENTS_READ, _S.FULFILMENTS_WORK, _S.SHIPMENTS_READ, _S.RETURNS_READ, _S.RETURNS_WORK, _S.STOCK_READ}
    | {_S.STOCK_WRITE, _S.INBOUND_READ, _S.INBOUND_WORK, _S.NETWORK_READ, _S.SKUS_READ}
)
_CARRIER: Final = frozenset({_S.SHIPMENTS_READ, _S.SHIPMENTS_REPORT})
_SUPPORT: Final = _CHANNEL | {
    _S.SOURCING_READ, _S.FULFILMENTS_READ, _S.FULFILMENTS_CORRECT, _S.EXCEPTIONS_READ, _S.EXCEPTIONS_WORK,
    _S.STOCK_READ, _S.INBOUND_READ, _S.NETWORK_READ, _S.ORDERS_BULK, _S.ORDERS_NOTE, _S.MESSAGES_RESEND,
    _S.FULFILMENTS_DIRECT, _S.ORDERS_PRIORITISE, _S.INBOX_READ, _S.INBOX_WORK,
}  # fmt: skip
_SUPERVISOR: Final = _SUPPORT | {_S.FULFILMENTS_WORK, _S.RETURNS_WORK, _S.POLICY_READ, _S.ACCESS_AUDIT}
_PLANNER: Final = frozenset(
    {_S.ORDERS_READ, _S.SOURCING_READ, _S.RETURNS_READ, _S.RESERVATIONS_READ, _S.AVAILABILITY_READ, _S.SHIPMENTS_READ}
    | {_S.FULFILMENTS_READ, _S.EXCEPTIONS_READ, _S.EXCEPTIONS_WORK, _S.WATCHES_WRITE, _S.STOCK_READ, _S.STOCK_WRITE}
    | {_S.STOCK_PLAN, _S.INBOUND_READ, _S.ORDERS_NOTE, _S.FULFILMENTS_DIRECT, _S.ORDERS_PRIORITISE}
    | {_S.INBOUND_WRITE, _S.INBOUND_WORK, _S.CHANNELS_READ, _S.CHANNELS_WRITE, _S.NETWORK_READ, _S.NETWORK_WRITE}
    | {_S.SKUS_READ, _S.SKUS_WRITE, _S.POLICY_READ, _S.POLICY_WRITE, _S.POLICY_PUBLISH}
)
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.CHANNEL: _CHANNEL,
    Role.NODE: _NODE,
    Role.CARRIER: _CARRIER,
    Role.SUPPORT: _SUPPORT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.PLANNER: _PLANNER,
    Role.OPERATOR: frozenset(Scope),
}
"""What each role may do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The channels, nodes and carriers a caller is limited to; None for no limit, an empty set for none of them."""

    NAMES: ClassVar[tuple[str, ...]] = ("channels", "nodes", "carriers")

    channels: frozenset[str] | None = None
    nodes: frozenset[str] | None = None
    carriers: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        channels: Iterable[str] | None = None,
        nodes: Iterable[str] | None = None,
        carriers: Iterable[str] | None = None,
    ) -> Self:
        """The limits of any lists; None stays no limit."""
        return cls(*(None if each is None else frozenset(each) for each in (channels, nodes, carriers)))

    def within(self, other: "Limits") -> bool:
        """Whether nothing is seen under these limits that is not seen under the others."""
        pairs = zip(self.by_name().values(), other.by_name().values(), strict=True)
        return all(theirs is None or (own is not None and own <= theirs) for own, theirs in pairs)

    def by_name(self) -> dict[str, frozenset[str] | None]:
        """Each limit under its name."""
        return {name: getattr(self, name) for name in self.NAMES}

    def allow(self, *, channel: str | None = None, node: str | None = None, carrier: str | None = None) -> bool:
        """Whether each of those that are named is within the limits."""
        named = ((self.channels, channel), (self.nodes, node), (self.carriers, carrier))
        return all(limit is None or name is None or name in limit for limit, name in named)


UNLIMITED: Final = Limits()

NEEDS: Final[Mapping[Role, str]] = {Role.CHANNEL: "channels", Role.NODE: "nodes", Role.CARRIER: "carriers"}
"""The limit without which a role sees nothing."""
LIMITED_BY: Final[Mapping[Role, tuple[str, ...]]] = {
    **{role: (needed,) for role, needed in NEEDS.items()},
    **dict.fromkeys((Role.SUPPORT, Role.SUPERVISOR, Role.PLANNER, Role.OPERATOR), ("channels", "nodes")),
}
"""The limits that a key of a role can have: its own of a partner's, channels and nodes of the merchant's own people."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: its name, as it is written down with what it does, its roles, scopes and limits.

    `key_id` is the API key it came with; None for a person with a token of the identity provider.
    """

    name: str
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    limits: Limits = UNLIMITED
    key_id: str | None = None

    def has(self, scope: Scope) -> bool:
        """Whether it may do this."""
        return scope in self.scopes


def principal(
    name: str,
    roles: Collection[Role],
    limits: Limits = UNLIMITED,
    scopes: Collection[Scope] | None = None,
    key_id: str | None = None,
) -> Principal:
    """A caller with these roles; `scopes`, if given, leaves it those of its roles' scopes alone.

    A channel, node or carrier whose limit is not given sees nothing: without a limit it would see everything.
    """
    held = frozenset().union(*(SCOPES[role] for role in roles)) if roles else frozenset()
    own = held if scopes is None else held & frozenset(scopes)
    return Principal(name, frozenset(roles), own, limits_of(roles, limits), key_id)


def limits_of(roles: Collection[Role], limits: Limits) -> Limits:
    """The limits, with an empty one where a role needs one that is not given."""
    named = limits.by_name()
    for role in roles:
        if (needed := NEEDS.get(role)) is not None and named[needed] is None:
            named[needed] = frozenset()
    return Limits(**named)


def may_give(giver: Principal, given: Principal) -> bool:
    """Whether one caller may make another: nobody gives a role, a scope or a sight of things that he does not have."""
    whole = frozenset[Scope]().union(*(SCOPES[role] for role in given.roles))
    return whole <= giver.scopes and given.scopes <= giver.scopes and given.limits.within(giver.limits)


def is_name(text: str) -> bool:
    """Whether a caller may be called so: letters, digits and a few marks, a letter or digit first, at most 64, and no
    colon, which the names of our own processes have.
    """
    plain = " ".join(text.split()) == text
    return plain and text.lower() not in _ONCE_OURS and len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None
