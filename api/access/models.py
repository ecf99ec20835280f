"""API keys and the audit log as the API shows them."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.shared.access import MAX_NAME, Role, Scope
from dom.shared.base import ChannelId, GivenTime, NodeId, Utc, Value
from services.credentials import DAY_SECONDS, LONGEST_OVERLAP_SECONDS

KeyId = Annotated[
    str, Path(max_length=64, description="The part of a key that is no secret.", examples=["0f6b1c2d3e4f"])
]
CarrierCode = Annotated[str, Field(min_length=1, max_length=40)]
_LIMIT = "limited to these; absent: no limit. A partner's key has the limit of its role alone"


class KeyRequest(Value):
    """A key that is asked for. It may have no role, scope or limit beyond those of who asks."""

    name: str = Field(
        min_length=1, max_length=MAX_NAME, description="Whose key it is; written down with all that is done with it."
    )
    role: Role = Field(description="What it may do.")
    channels: tuple[ChannelId, ...] | None = Field(
        default=None, min_length=1, max_length=1000, description=f"Channels: {_LIMIT}. A channel's key needs it."
    )
    nodes: tuple[NodeId, ...] | None = Field(
        default=None, min_length=1, max_length=10_000, description=f"Nodes: {_LIMIT}. A node's key needs it."
    )
    carriers: tuple[CarrierCode, ...] | None = Field(
        default=None, min_length=1, max_length=1000, description="Carriers: for a carrier's key, which needs it."
    )
    scopes: tuple[Scope, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=len(Scope),
        description="Those of the role's scopes that it has; absent: all of them.",
    )
    expires_at: GivenTime | None = Field(default=None, description="When it ends; absent: it does not end by itself.")


class KeyRotation(Value):
    """How a key is replaced by another that may do the same."""

    overlap_seconds: int = Field(
        default=DAY_SECONDS, ge=0, le=LONGEST_OVERLAP_SECONDS, description="How long the old key works beside the new."
    )
    expires_at: GivenTime | None = Field(
        default=None, description="When the new key ends; absent: when the old one would."
    )


class Credential(BaseModel):
    """A key or a secret as it is known, without what is secret of it."""

    id: str
    created_by: str
    created_at: Utc
    expires_at: Utc | None
    revoked_at: Utc | None = Field(description="When it was ended; null while it was not.")
    revoked_by: str | None = Field(description="Who ended it.")
    last_used_at: Utc | None = Field(description="To the minute; null for one that was never used.")
    rotated_from: str | None = Field(description="The one it took the place of.")


class ApiKey(Credential):
    """A key, without its secret."""

    prefix: str = Field(description="How the key begins, to tell it from others.")
    name: str = Field(description="Whose key it is.")
    role: Role = Field(description="What it may do.")
    channels: list[str] | None = Field(description="What it is limited to; null: no limit.")
    nodes: list[str] | None = Field(description="What it is limited to; null: no limit.")
    carriers: list[str] | None = Field(description="What it is limited to; null: no limit.")
    scopes: list[str] | None = Field(description="Those of the role's scopes that it has; null: all.")


class NewApiKey(ApiKey):
    """A key that was made now."""

    key: str = Field(description="The key itself. It is answered this once, and kept nowhere.")


class ApiKeyList(Page):
    """A page of keys, newest first."""

    items: list[ApiKey]


class AuditRecord(BaseModel):
    """What a caller changed, or was refused."""

    id: int
    recorded_at: Utc
    request_id: str = Field(description="The `X-Request-Id` of the request.")
    principal: str = Field(description="Who asked.")
    key_id: str | None = Field(description="The key it came with; null: a token.")
    roles: list[str] = Field(description="The roles of the caller.")
    method: str
    route: str = Field(description="The address, with names in place of what it was about.")
    object: str = Field(description="What it was about: the parts of the address, and the id of what was made.")
    status: int = Field(description="The HTTP status it was answered with.")
    reason: str = Field(description="The reason or comment that was given with it.")
    source: str = Field(description="The address the request came from.")


class AuditLog(Page):
    """A page of the audit log, newest first."""

    items: list[AuditRecord]
