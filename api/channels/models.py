"""Channels and their rules, as they are given and shown."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, field_validator

from dom.channels.channel import Channel, ChannelRule
from dom.shared.base import Value
from dom.shared.texts import is_plain_id

MAX_RULES = 10_000
_SECRET = "whsec_"  # noqa: S105  the prefix of every secret
_LEAST_BYTES = 16


def _can_sign(secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET), validate=True)
    except binascii.Error as error:
        raise ValueError("give whsec_ and base64") from error
    if not secret.startswith(_SECRET) or len(key) < _LEAST_BYTES:
        raise ValueError(f"give whsec_ and base64 of at least {_LEAST_BYTES} bytes")
    return secret


class ChannelRequest(Channel):
    """A channel. `webhook_secret` signs what is posted to `webhook_url`; never shown, it stays if it is left out."""

    webhook_secret: Annotated[str, Field(max_length=500), AfterValidator(_can_sign)] | None = Field(
        default=None, json_schema_extra={"writeOnly": True}
    )

    @field_validator("webhook_url")
    @classmethod
    def _can_be_posted_to(cls, url: str | None) -> str | None:
        if url is not None and (" " in url or not is_plain_id(url)):
            raise ValueError("a URL has no blanks and no characters that nobody sees")
        return url

    def channel(self) -> Channel:
        """The channel without what is not shown."""
        return Channel.model_validate(self.model_dump(exclude={"webhook_secret"}))


class Channels(BaseModel):
    """Every channel that was described, those served first first."""

    items: list[Channel]


class ChannelRules(Value):
    """All rules of a channel: those that are not named are gone."""

    rules: tuple[ChannelRule, ...] = Field(max_length=MAX_RULES)
