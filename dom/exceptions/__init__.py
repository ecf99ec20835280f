"""Exceptions: what a person must look at.

kinds      the kinds, and what belongs to each
catalogue  how bad each is, who looks at it, until when, and what to do
actions    what can be done about an exception in one call
desk       what a person does with an exception, and when that is refused
watches    milestones that are to be reached in time
"""

from dom.exceptions.actions import ACTIONS, ActionInfo, ExceptionAction
from dom.exceptions.catalogue import (
    CATALOGUE,
    OF_ANOTHER_VERSION,
    UNSOURCED,
    WITHOUT_PROCESS,
    info_of,
)
from dom.exceptions.kinds import ExceptionInfo, ExceptionKind, ExceptionSeverity, OwnerRole

__all__ = [
    "ACTIONS",
    "CATALOGUE",
    "OF_ANOTHER_VERSION",
    "UNSOURCED",
    "WITHOUT_PROCESS",
    "ActionInfo",
    "ExceptionAction",
    "ExceptionInfo",
    "ExceptionKind",
    "ExceptionSeverity",
    "OwnerRole",
    "info_of",
]
