"""Postal codes and where they are: under which keys a code may stand in `places` (data/README.md has the rule)."""

_SHORTEST = 2
_INWARD = 3
"""The inward part of a British postal code always has three characters."""


def lookup_codes(country: str, postal_code: str) -> list[str]:
    """The keys to try for a postal code, the whole code first.

    Great Britain and its neighbours are listed by outward code ("LS1 4AP" -> "LS1"), some other countries by the
    first characters, the rest by the whole code; so shorter beginnings of a code are keys too.
    """
    code = "".join(postal_code.upper().split())
    if country in {"GB", "GG", "JE", "IM"}:
        return [code, code[:-_INWARD]] if len(code) > _INWARD + 1 else [code]
    return [code[:length] for length in range(len(code), _SHORTEST - 1, -1)]
