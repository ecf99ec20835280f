"""Secrets that carriers sign with, as the API shows them."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.access.models import CarrierCode
from api.http.models import Page
from dom.shared.base import Utc, Value

SecretId = Annotated[str, Path(max_length=64, description="The secret's id.", examples=["7c1d2e3f4a5b"])]


class SecretRequest(Value):
    """A secret that is asked for."""

    carrier: CarrierCode = Field(description="Whose messages are signed with it.")
    expires_at: Utc | None = Field(default=None, description="When it ends; absent: it does not end by itself.")


class SigningSecret(BaseModel):
    """What is known of a secret, without the secret itself."""

    id: str
    carrier: str = Field(description="Whose messages are signed with it.")
    created_by: str
    created_at: Utc
    expires_at: Utc | None
    revoked_at: Utc | None = Field(description="When it was ended; null while it was not.")
    revoked_by: str | None = Field(description="Who ended it.")
    last_used_at: Utc | None = Field(description="To the minute; null for one that was never used.")
    rotated_from: str | None = Field(description="The secret it took the place of.")


class NewSigningSecret(SigningSecret):
    """A secret that was made now."""

    secret: str = Field(description="`whsec_` and base64 of 32 random bytes. It is answered this once.")


class SigningSecretList(Page):
    """A page of secrets, newest first."""

    items: list[SigningSecret]
