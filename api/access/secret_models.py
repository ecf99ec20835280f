"""Secrets that carriers sign with, as the API shows them."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from api.access.models import CarrierCode, Credential
from api.http.models import Page
from dom.shared.base import Utc, Value

SecretId = Annotated[str, Path(max_length=64, description="The secret's id.", examples=["7c1d2e3f4a5b"])]


class SecretRequest(Value):
    """A secret that is asked for."""

    carrier: CarrierCode = Field(description="Whose messages are signed with it.")
    expires_at: Utc | None = Field(default=None, description="When it ends; absent: it does not end by itself.")


class SigningSecret(Credential):
    """What is known of a secret, without the secret itself."""

    carrier: str = Field(description="Whose messages are signed with it.")


class NewSigningSecret(SigningSecret):
    """A secret that was made now."""

    secret: str = Field(description="`whsec_` and base64 of 32 random bytes. It is answered this once.")


class SigningSecretList(Page):
    """A page of secrets, newest first."""

    items: list[SigningSecret]
