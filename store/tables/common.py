"""What every table is made with: the naming of constraints, and columns that recur."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, MetaData, func

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def one_of(column: str, values: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A column holds one of a finite set's values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    """A point in time; `now` for one the database writes itself."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def serial() -> Column[int]:
    """A number of the database's own as key."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)
