"""Corrections of what channels send, and rules that people made of repairs."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from dom.channels.correction_rules import RuleStatus
from dom.channels.corrections import DECIDED, CorrectionStatus
from store.database.parameters import listed
from store.tables.common import metadata, moment, one_of, serial

# A rule acts once it is live, and it is live only after it was tried on what came.
channel_correction_rules = Table(
    "channel_correction_rules",
    metadata,
    serial(),
    Column("channel", Text, ForeignKey("channels.id"), nullable=False),
    Column("field", Text, nullable=False, comment="as mappings name it, lines[*].sku for the same field of every line"),
    Column("before", Text, nullable=False),
    Column("after", JSONB, nullable=False, comment="null as JSON: it is taken out"),
    Column("status", Text, nullable=False, server_default=RuleStatus.DRAFT),
    Column(
        "message_id",
        BigInteger,
        ForeignKey("channel_messages.id", ondelete="SET NULL"),
        comment="the repaired message that it was made of",
    ),
    Column("comment", Text, nullable=False, server_default=""),
    Column("rehearsal", JSONB),
    moment("rehearsed_at", nullable=True),
    Column("created_by", Text, nullable=False),
    moment("created_at", now=True),
    Column("changed_by", Text, nullable=False),
    moment("changed_at", now=True),
    one_of("status", RuleStatus),
    CheckConstraint("status NOT IN ('rehearsed', 'live') OR rehearsed_at IS NOT NULL", name="acts_once_rehearsed"),
    Index(
        "channel_correction_rules_live_ix",
        "channel",
        "before",
        "field",
        unique=True,
        postgresql_where=text("status = 'live'"),
    ),
    Index("channel_correction_rules_channel_ix", "channel", "id"),
)

# What was found anew at each turn of a message; what a person decided stays.
channel_corrections = Table(
    "channel_corrections",
    metadata,
    serial(),
    Column("message_id", BigInteger, ForeignKey("channel_messages.id", ondelete="CASCADE"), nullable=False),
    Column("channel", Text, ForeignKey("channels.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="in what sequence they were made of the message"),
    Column("field", Text, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    Column("rule", Text, nullable=False),
    Column("confidence", Integer, nullable=False, comment="per mille"),
    Column("why", Text, nullable=False, server_default=""),
    Column(
        "by_itself",
        Boolean,
        nullable=False,
        comment="it was made, and not only proposed; also of one that was rejected",
    ),
    Column("status", Text, nullable=False),
    moment("found_at"),
    Column("decided_by", Text),
    moment("decided_at", nullable=True),
    one_of("status", CorrectionStatus),
    CheckConstraint("confidence BETWEEN 0 AND 1000", name="confidence_per_mille"),
    CheckConstraint(
        f"(status IN ({listed(DECIDED)})) = (decided_by IS NOT NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
        name="decided_by_somebody",
    ),
    Index("channel_corrections_once_ix", "message_id", "field", "rule", text("md5(after::text)"), unique=True),
    Index("channel_corrections_found_ix", "channel", "found_at", "rule"),
)
