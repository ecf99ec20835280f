"""Addresses in the web that callers give."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from dom.shared.texts import is_plain_id


def _is_http(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is none is found out only when it is asked for
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give a full http or https URL")
    return url


def _is_shown(url: str) -> str:
    if not is_plain_id(url) or " " in url:
        raise ValueError("give it without blanks and without characters that nobody sees")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("give it without a name and a password")
    return url


HttpUrl = Annotated[str, Field(max_length=2000), AfterValidator(_is_http)]
"""A full http or https URL."""

ShownUrl = Annotated[
    str, Field(max_length=2000, examples=["https://files.example/4711.jpg"]), AfterValidator(_is_http),
    AfterValidator(_is_shown),
]  # fmt: skip
"""A full http or https URL that people are shown, to be opened: no script, and no password in it."""
