"""Questions to customers: what was promised comes later, and they choose what is to be done."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dom.orders.questions import CustomerChoice, QuestionStatus, Withdrawal
from store.tables.common import metadata, moment, one_of

_OPEN = text(f"status = '{QuestionStatus.OPEN}'")

customer_questions = Table(
    "customer_questions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("link_id", Text, nullable=False, comment="what the customer's link is of; the link needs a signature too"),
    Column("status", Text, nullable=False),
    Column("units", JSONB, nullable=False, comment="late units by line"),
    moment("promised"),
    moment("expected", nullable=True),
    Column("choices", ARRAY(Text), nullable=False),
    Column("swap", JSONB, nullable=False, comment="the substitutes that may be chosen"),
    Column("silence", Text, nullable=False, comment="what is done if nobody answers"),
    moment("asked_at"),
    moment("answer_by"),
    Column("mails", Integer, nullable=False, comment="how often it was mailed"),
    moment("told_at"),
    moment("told_expected", nullable=True),
    Column("answer", Text, comment="what was chosen, or what silence came to"),
    Column("ended_by", Text, comment="who answered, or ended it"),
    moment("ended_at", nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("withdrawal", Text, comment="why it was withdrawn"),
    one_of("status", QuestionStatus),
    one_of("silence", CustomerChoice),
    one_of("answer", CustomerChoice),
    one_of("withdrawal", Withdrawal),
    CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended_once"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
    CheckConstraint("(status IN ('answered', 'expired')) = (answer IS NOT NULL)", name="answer_of_its_end"),
    CheckConstraint("(status = 'withdrawn') = (withdrawal IS NOT NULL)", name="withdrawn_for_a_reason"),
    UniqueConstraint("link_id"),
    Index("customer_questions_order_ix", "order_id"),
    Index("customer_questions_asked_ix", "asked_at", "id"),
    Index("customer_questions_one_open_ix", "order_id", unique=True, postgresql_where=_OPEN),
    Index("customer_questions_due_ix", "answer_by", postgresql_where=_OPEN),
)
