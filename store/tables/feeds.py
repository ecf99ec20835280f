"""What comes from outside about stock: inbound goods, counts, bulk imports."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.enums import ImportKind, ImportStatus, InboundKind, InboundStatus, ItemOutcome
from store.tables.common import metadata, moment, one_of

inbound = Table(
    "inbound",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("origin_node", Text, ForeignKey("nodes.id"), comment="of a transfer: where the units leave"),
    Column("node_id", Text, ForeignKey("nodes.id"), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("confidence", Integer, nullable=False, comment="percent of the units that is counted on"),
    Column("actor", Text, nullable=False),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    one_of("kind", InboundKind),
    one_of("status", InboundStatus),
    CheckConstraint("confidence BETWEEN 0 AND 100", name="confidence_is_percent"),
    CheckConstraint("(kind = 'transfer') = (origin_node IS NOT NULL)", name="transfer_has_origin"),
    CheckConstraint("origin_node <> node_id", name="somewhere_else"),
    Index("inbound_open_ix", "node_id", "due_on", postgresql_where=text("status IN ('announced', 'in_transit')")),
    Index("inbound_due_ix", "due_on", "reference"),
)

inbound_lines = Table(
    "inbound_lines",
    metadata,
    Column("reference", Text, ForeignKey("inbound.reference"), primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("received", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("quantity > 0 AND received >= 0", name="units"),
    Index("inbound_lines_sku_ix", "sku"),
)

# What arrived of it, message by message: the receiver's key makes each count once.
inbound_receipts = Table(
    "inbound_receipts",
    metadata,
    Column("reference", Text, ForeignKey("inbound.reference"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("node_id", Text, ForeignKey("nodes.id"), nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    moment("occurred_at"),
    moment("recorded_at", now=True),
)

# The last count a source gave of a balance: what came later in its own sequence counts, what came earlier is late. A
# source without a sequence goes by the time of the count.
count_marks = Table(
    "count_marks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("node_id", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("sequence", BigInteger),
    Column("quantity", Integer, nullable=False),
    moment("as_of"),
)

stock_imports = Table(
    "stock_imports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("all_or_nothing", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("sequence", BigInteger, comment="of counts; null: they go by their time"),
    Column("nodes", ARRAY(Text), comment="those its sender is limited to; null: no limit"),
    Column("rows", Integer, nullable=False, server_default=text("0"), comment="rows received"),
    Column("next_row", Integer, nullable=False, server_default=text("1"), comment="where applying goes on"),
    Column("outcomes", JSONB, nullable=False, server_default=text("'{}'"), comment="rows by what became of them"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("upload", Text, nullable=False, comment="which upload may add rows: the last one that began"),
    Column("asked", JSONB, comment="format, time and sequence, as the caller said or did not say them"),
    Column("digest", Text, comment="SHA-256 of the file; null: received before 0008, or not yet in full"),
    moment("as_of"),
    moment("created_at", now=True),
    moment("touched_at", now=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    one_of("kind", ImportKind),
    one_of("status", ImportStatus),
    Index(
        "stock_imports_open_ix",
        "created_at",
        postgresql_where=text("status IN ('receiving', 'queued', 'applying')"),
    ),
    Index("stock_imports_created_ix", "created_at", "id"),
)

# The rows of an import until they are applied; afterwards those that were not, or not in full. `row` is the line of the
# file; a row without an outcome is still to be applied.
stock_import_rows = Table(
    "stock_import_rows",
    metadata,
    Column("import_id", Text, ForeignKey("stock_imports.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("node_id", Text),
    Column("sku", Text),
    Column("quantity", Integer),
    Column("key", Text),
    Column("reason_code", Text),
    Column("raw", Text, comment="the row as it came, if it could not be read"),
    Column("outcome", Text),
    Column("problem", Text, comment="the stable type of what is wrong with it"),
    Column("field", Text),
    Column("detail", Text),
    moment("as_of", nullable=True),
    one_of("outcome", ItemOutcome),
    # Hundreds of thousands come and go with one file: what is left of them is cleared before it piles up.
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.02},
)
