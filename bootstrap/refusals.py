"""What a refusal of the Temporal server is about; decided by its status and typed details, never by its text."""

from __future__ import annotations

from typing import Final

from google.protobuf.any_pb2 import Any
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NamespaceInvalidStateFailure,
    NamespaceNotActiveFailure,
    NamespaceNotFoundFailure,
    WorkflowNotReadyFailure,
)
from temporalio.service import RPCError, RPCStatusCode

AWAY: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.DATA_LOSS,
    }
)
"""The server, or the connection to it, failed; the same call may pass later. A connection that breaks in the middle of
an answer is UNKNOWN, INTERNAL or CANCELLED, depending on how far it came."""
LOCKED_OUT: Final = frozenset({RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED})
"""Our key or certificate does not let us do this."""

_OF_A_NAMESPACE: Final = (NamespaceNotFoundFailure, NamespaceNotActiveFailure, NamespaceInvalidStateFailure)


def is_about_namespace(error: RPCError) -> bool:
    """Whether the namespace is missing or cannot be worked in, as opposed to one workflow of it."""
    return any(detail.Is(kind.DESCRIPTOR) for detail in _details(error) for kind in _OF_A_NAMESPACE)


def is_about_workflow(error: RPCError) -> bool:
    """Whether no such workflow, or update of it, is known; a namespace that is missing says nothing about that."""
    return error.status is RPCStatusCode.NOT_FOUND and not is_about_namespace(error)


def is_not_ready(error: RPCError) -> bool:
    """Whether the workflow's last task failed or timed out: it takes no update until a later one passes."""
    return any(detail.Is(WorkflowNotReadyFailure.DESCRIPTOR) for detail in _details(error))


def _details(error: RPCError) -> list[Any]:
    found = list(error.grpc_status.details)
    for detail in tuple(found):
        several = MultiOperationExecutionFailure()
        if detail.Is(MultiOperationExecutionFailure.DESCRIPTOR) and detail.Unpack(several):
            found += [nested for status in several.statuses for nested in status.details]
    return found
