"""What has to be known of a trading partner."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from connectors.channels.files.settings import DropSettings


def _as_text(given: object) -> object:
    """Ids of digits come as numbers where nobody said that they are none: a GLN from a command line."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


PartyId = Annotated[str, Field(min_length=1, max_length=35, pattern=r"^[ -~]+$"), BeforeValidator(_as_text)]
X12Id = Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[ -~]+$"), BeforeValidator(_as_text)]
Qualifier = Annotated[str, Field(max_length=4), BeforeValidator(_as_text)]
GroupId = Annotated[str, Field(max_length=15), BeforeValidator(_as_text)]


class PartnerSettings(DropSettings):
    """A partner: the folder its interchanges come into, that of our answers, and who is who in the envelopes."""

    out: str = Field(
        default="out", min_length=1, max_length=200, pattern=r"^[^/\\]+$", description="The subfolder for our answers."
    )
    state_folder: str = Field(
        default="",
        max_length=1_000,
        description="A folder of this machine that all workers share: control numbers and states of orders are kept "
        "there. Empty: the subfolder `state`; needed with SFTP.",
    )
    own_id: PartyId = Field(description="Our id in the envelope (ISA08, UNB S003).")
    own_qualifier: Qualifier = Field(default="ZZ", description="What kind of id it is (ISA07, UNB 0007).")
    partner_id: PartyId = Field(description="The partner's id in the envelope (ISA06, UNB S002).")
    partner_qualifier: Qualifier = Field(default="ZZ", description="What kind of id it is.")
    test: bool = Field(default=False, description="Whether our answers say that they are tests.")

    @model_validator(mode="after")
    def _keeps_its_state(self) -> Self:
        if self.is_remote and not self.state_folder:
            raise ValueError("state_folder: with SFTP give a folder of this machine that all workers share")
        if self.state_folder and not self.state_folder.startswith("/"):
            raise ValueError("state_folder: write an absolute path")
        return self


class X12Settings(PartnerSettings):
    """A partner who speaks X12. Ids of the envelope have at most 15 characters there."""

    release: Literal["004010", "005010"] = Field(default="004010", description="Of our answers (GS08).")
    own_id: X12Id = Field(description="Our id in the envelope (ISA08).")
    partner_id: X12Id = Field(description="The partner's id in the envelope (ISA06).")
    own_group_id: GroupId = Field(default="", description="Our id in groups (GS); empty: that of ISA.")
    partner_group_id: GroupId = Field(default="", description="The partner's id in groups.")


class EdifactSettings(PartnerSettings):
    """A partner who speaks EDIFACT."""

    own_qualifier: Qualifier = Field(default="14", description="What kind of id it is: 14 is a GLN.")
    partner_qualifier: Qualifier = Field(default="14", description="What kind of id it is: 14 is a GLN.")
    directory: Literal["D:96A", "D:01B"] = Field(default="D:96A", description="Of our answers.")
