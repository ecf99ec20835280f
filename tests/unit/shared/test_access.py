"""Who may do what: the table of roles, limits, and what may be given away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.shared import access
from dom.shared.access import SCOPES, UNLIMITED, Limits, Role, Scope, principal

NAMES = st.sets(st.sampled_from(["a", "b", "c"])).map(frozenset)
LIMITS = st.builds(Limits, st.none() | NAMES, st.none() | NAMES, st.none() | NAMES)
CALLERS = st.builds(
    principal,
    st.just("caller"),
    st.sets(st.sampled_from(Role), max_size=2).map(tuple),
    LIMITS,
    st.none() | st.sets(st.sampled_from(Scope)),
)


class TestRoles:
    def test_the_operator_may_do_everything(self) -> None:
        assert SCOPES[Role.OPERATOR] == frozenset(Scope)

    def test_every_role_is_in_the_table(self) -> None:
        assert set(SCOPES) == set(Role)

    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
    def test_nobody_else_manages_keys(self, role: Role) -> None:
        assert Scope.ACCESS_MANAGE not in SCOPES[role]

    @pytest.mark.parametrize("role", [Role.CHANNEL, Role.NODE, Role.CARRIER])
    @pytest.mark.parametrize("scope", [Scope.POLICY_READ, Scope.NETWORK_WRITE, Scope.STOCK_PLAN, Scope.EXCEPTIONS_READ])
    def test_partners_have_nothing_of_the_house(self, role: Role, scope: Scope) -> None:
        assert scope not in SCOPES[role]

    def test_no_role_no_scope(self) -> None:
        assert principal("nobody", []).scopes == frozenset()

    @pytest.mark.parametrize(("role", "limit"), list(access.NEEDS.items()))
    def test_a_partner_without_its_limit_sees_nothing(self, role: Role, limit: str) -> None:
        assert getattr(principal("partner", [role]).limits, limit) == frozenset()
        assert getattr(principal("person", [role, Role.SUPPORT]).limits, limit) == frozenset()

    def test_scopes_narrow_and_never_widen(self) -> None:
        narrowed = principal("shop", [Role.CHANNEL], scopes=[Scope.ORDERS_READ, Scope.ACCESS_MANAGE])
        assert narrowed.scopes == {Scope.ORDERS_READ}


class TestLimits:
    def test_what_is_not_limited_is_allowed(self) -> None:
        assert UNLIMITED.allow(channel="web", node="dc-leeds", carrier="northline")

    def test_all_that_is_named_must_be_allowed(self) -> None:
        limits = Limits.of(channels=["web"], nodes=["dc-leeds"])
        assert limits.allow(channel="web", node="dc-leeds", carrier="northline")
        assert not limits.allow(channel="web", node="wh-london")
        assert not limits.allow(channel="shop", node="dc-leeds")

    def test_an_empty_limit_allows_nothing(self) -> None:
        assert not Limits.of(channels=[]).allow(channel="web")

    @given(LIMITS, LIMITS, st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from("abcd"))
    def test_within_means_that_nothing_more_is_allowed(
        self, narrow: Limits, wide: Limits, channel: str, node: str, carrier: str
    ) -> None:
        allowed = narrow.allow(channel=channel, node=node, carrier=carrier)
        assert not (narrow.within(wide) and allowed) or wide.allow(channel=channel, node=node, carrier=carrier)


class TestGiving:
    @given(CALLERS, CALLERS)
    def test_nobody_gives_what_he_does_not_have(self, giver: access.Principal, given_: access.Principal) -> None:
        if access.may_give(giver, given_):
            assert given_.scopes <= giver.scopes
            assert given_.limits.within(giver.limits)

    def test_a_role_is_not_given_by_naming_few_of_its_scopes(self) -> None:
        """Were the table of roles to grow, the key would grow with it beyond its maker."""
        supervisor = principal("kim", [Role.SUPERVISOR])
        assert access.may_give(supervisor, principal("sam", [Role.SUPPORT]))
        assert not access.may_give(supervisor, principal("sam", [Role.OPERATOR], scopes=[Scope.ORDERS_READ]))

    def test_who_is_limited_gives_limited_keys(self) -> None:
        limited = principal("kim", [Role.OPERATOR], Limits.of(channels=["web"]))
        assert access.may_give(limited, principal("shop", [Role.CHANNEL], Limits.of(channels=["web"])))
        assert not access.may_give(limited, principal("shop", [Role.CHANNEL], Limits.of(channels=["web", "till"])))
        assert not access.may_give(limited, principal("sam", [Role.SUPPORT]))


class TestNames:
    @pytest.mark.parametrize("name", ["web shop", "kim@shop.example", "auth0|6123", "R. Osei", "a" * 64])
    def test_of_people_and_programs(self, name: str) -> None:
        assert access.is_name(name)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "system:ofl",
            "SYSTEM:ofl",
            "a:b",
            "system\uff1aofl",
            "a" * 65,
            " a",
            "a  b",
            "a\n",
            "\u200ba",
            "Zo\u0451",
        ],
    )
    def test_that_nobody_can_have(self, name: str) -> None:
        assert not access.is_name(name)
