"""Codes that are no currency, currencies that cannot be compared, and rates that nobody needs."""

from collections.abc import Iterator

from dom.documents.findings import Mistake, error, listed, warning
from dom.shared.money import NO_CURRENCY, is_currency
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.lint.known import Known


def no_currencies(policy: Policy) -> Iterator[Mistake]:
    """Codes that nothing is paid in, by ISO 4217."""
    hint = "codes for metals, funds, units of account, for testing and for no currency at all are none either"
    if not is_currency(policy.currency):
        yield error("unknown-currency", ("currency",), NO_CURRENCY.format(policy.currency), hint)
    for code in policy.exchange_rates:
        if not is_currency(code):
            yield error("unknown-currency", ("exchange_rates", code), NO_CURRENCY.format(code), hint)


def currencies(policy: Policy, known: Known) -> Iterator[Mistake]:
    """What nodes and carriers charge in has to have a rate: those without are left out of every plan."""
    if policy.currency in policy.exchange_rates:
        said = f"{policy.currency} is the policy's own currency; its rate is always 1"
        yield warning("rate-of-own-currency", ("exchange_rates", policy.currency), said, "take it out")
    users: dict[str, list[str]] = {}
    for node in known.nodes:
        users.setdefault(node.currency, []).append(node.id)
    for tariff in known.tariffs:
        users.setdefault(tariff.currency, []).append(tariff.carrier)
    for currency, names in sorted(users.items()):
        if policy.worth(currency) is None:
            said = f"{currency} has no rate, so {listed(sorted(names), 4)} can never be chosen"
            hint = f"add `{currency}: <what one {currency} is worth in {policy.currency}>` to `exchange_rates`"
            yield warning("currency-without-rate", ("exchange_rates",), said, hint)
