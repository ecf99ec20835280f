"""Steps of an order's or a return's process that fail again and again: a person hears of them."""

from dom.exceptions import ExceptionKind
from services.database import Database
from store import exceptions
from store.exceptions import Reopening


async def put_before_a_person(database: Database, order_id: str, about: str, detail: str, *, anew: bool) -> None:
    """A step of the process of `about`, the order or its return, fails by a defect. `anew`: it is the first one to say
    so; of later ones a person who closed it hears nothing more.
    """
    reopening = Reopening.ALWAYS if anew else Reopening.UNLESS_CLOSED_BY_A_PERSON
    async with database.transaction() as connection:
        await exceptions.open_(
            connection, order_id, ExceptionKind.PROCESS_STUCK, _key(about), f"{about}: {detail}", reopening=reopening
        )


async def goes_on(database: Database, about: str) -> None:
    """The step has succeeded."""
    async with database.transaction() as connection:
        await exceptions.close_by_keys(connection, _key(about))


def _key(about: str) -> str:
    return f"{about}:{ExceptionKind.PROCESS_STUCK}"
