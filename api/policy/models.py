"""The OFL policy as callers see it: versions, drafts, what is wrong with them, and what changes between two."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http.models import Page
from dom.documents.findings import Finding
from dom.shared.base import Utc
from dom.sourcing.policy.comparing import PolicyChange
from dom.sourcing.policy.document import Policy

Version = Annotated[
    str, Path(pattern=r"^(live|[1-9][0-9]{0,8})$", description="A version's number, or `live`.", examples=["live"])
]
_DRAFT_NAME = r"^[a-z0-9][a-z0-9-]{0,59}$"
DraftName = Annotated[str, Path(pattern=_DRAFT_NAME, description="The draft's name.", examples=["cheaper-splits"])]
DraftToPublish = Annotated[
    str,
    Path(
        pattern=_DRAFT_NAME,
        description="The draft's name.",
        openapi_examples={"one that nobody wrote, so that trying it publishes nothing": {"value": "draft-of-yours"}},
    ),
]
Which = Annotated[
    str,
    Query(
        pattern=r"^(live|[1-9][0-9]{0,8}|draft:[a-z0-9][a-z0-9-]{0,59})$",
        description="A version's number, `live`, or `draft:` and a draft's name.",
        examples=["live"],
    ),
]
Comment = Annotated[str | None, Query(max_length=1000, description="Why; kept with what is written.")]
BasedOn = Annotated[int | None, Query(ge=1, le=999_999_999, description="The published version it is begun from.")]
BasedOnLive = Annotated[
    int | None,
    Query(
        ge=1,
        le=999_999_999,
        description="The version it was begun from; refused if another is live.",
        openapi_examples={"one that is not live, so that trying it publishes nothing": {"value": 999_999_999}},
    ),
]


class PolicyVersion(BaseModel):
    """A published version."""

    version: int
    name: str
    live: bool = Field(description="Whether the next order is decided by it.")
    comment: str
    restores: int | None = Field(description="The earlier version it brought back.")
    published_by: str
    published_at: Utc


class PolicyVersions(Page):
    """Published versions, newest first."""

    items: list[PolicyVersion]


class PolicyDetail(PolicyVersion):
    """A published version with its document."""

    document: Policy
    source: str = Field(description="The text it was written in, comments kept; YAML made of it where there was none.")


class PolicyChecked(BaseModel):
    """What is wrong with a policy."""

    valid: bool = Field(description="Whether it could be published: nothing found is an error.")
    findings: list[Finding]


class PolicyPublished(BaseModel):
    """What came of publishing."""

    version: int = Field(description="The live version.")
    name: str
    published: bool = Field(description="False where this policy was live already: then there is no new version.")
    findings: list[Finding] = Field(description="Warnings that were passed over.")


class PolicyDifference(BaseModel):
    """What changes from one policy to another."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: str = Field(alias="from")
    to: str
    changes: list[PolicyChange]


class DraftHead(BaseModel):
    """A draft without its document."""

    name: str
    revision: int = Field(description="Counts how often it was written; name it to replace what you have seen.")
    based_on: int = Field(description="The published version it was begun from.")
    comment: str
    created_by: str
    created_at: Utc
    updated_by: str
    updated_at: Utc


class DraftList(Page):
    """Drafts, the one that was written last first."""

    items: list[DraftHead]


class DraftDetail(DraftHead):
    """A draft with its document, and what is wrong with it so far."""

    document: Policy
    source: str = Field(description="The text it was written in, comments kept.")
    findings: list[Finding]
