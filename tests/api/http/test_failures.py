"""What a failure behind the API means to the caller: decided by class, status and SQLSTATE, never by text."""

from __future__ import annotations

import psycopg
import pytest
from google.protobuf.any_pb2 import Any
from psycopg import errors
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from temporalio.api.common.v1 import GrpcStatus
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NamespaceNotFoundFailure,
    NotFoundFailure,
    WorkflowNotReadyFailure,
)
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from api.http.failures import problem_of
from bootstrap import refusals

AWAY = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.DATA_LOSS,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.DEADLINE_EXCEEDED,
}


def refusal(status: RPCStatusCode, *details: object) -> RPCError:
    packed = []
    for detail in details:
        one = Any()
        one.Pack(detail)  # type: ignore[arg-type]
        packed.append(one)
    return RPCError("transport error", status, GrpcStatus(code=status, details=packed).SerializeToString())


class TestTemporal:
    @pytest.mark.parametrize("status", sorted(AWAY))
    def test_a_server_or_connection_that_failed(self, status: RPCStatusCode) -> None:
        assert problem_of(refusal(status)).type == "/problems/unavailable"

    @pytest.mark.parametrize("status", [RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED])
    def test_a_key_it_does_not_take(self, status: RPCStatusCode) -> None:
        assert problem_of(refusal(status)).type == "/problems/not-ready"

    @pytest.mark.parametrize("status", [RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNIMPLEMENTED])
    def test_what_we_ask_wrongly_stays_a_defect(self, status: RPCStatusCode) -> None:
        assert problem_of(refusal(status)).type == "/problems/internal-error"

    def test_a_namespace_that_is_missing_is_no_missing_order(self) -> None:
        nested = Any()
        nested.Pack(NamespaceNotFoundFailure(namespace="n"))
        several = MultiOperationExecutionFailure(
            statuses=[MultiOperationExecutionFailure.OperationStatus(code=5, details=[nested])]
        )
        for error in (
            refusal(RPCStatusCode.NOT_FOUND, NamespaceNotFoundFailure(namespace="n")),
            refusal(RPCStatusCode.NOT_FOUND, several),
        ):
            assert not refusals.is_about_workflow(error)
            assert problem_of(error).type == "/problems/not-ready"
        assert refusals.is_about_workflow(refusal(RPCStatusCode.NOT_FOUND, NotFoundFailure()))

    def test_a_workflow_whose_task_failed_or_timed_out_is_asked_again(self) -> None:
        nested = Any()
        nested.Pack(WorkflowNotReadyFailure())
        several = MultiOperationExecutionFailure(
            statuses=[MultiOperationExecutionFailure.OperationStatus(code=9, details=[nested])]
        )
        for detail in (WorkflowNotReadyFailure(), several):
            assert problem_of(refusal(RPCStatusCode.FAILED_PRECONDITION, detail)).type == "/problems/unavailable"
        assert problem_of(refusal(RPCStatusCode.FAILED_PRECONDITION)).type == "/problems/internal-error"

    def test_a_connection_that_broke_is_not_said_to_be_on_record(self) -> None:
        broken, late = WorkflowUpdateRPCTimeoutOrCancelledError(), WorkflowUpdateRPCTimeoutOrCancelledError()
        broken.__cause__ = refusal(RPCStatusCode.CANCELLED)
        late.__cause__ = refusal(RPCStatusCode.DEADLINE_EXCEEDED)

        assert problem_of(broken).type == "/problems/unavailable"
        assert problem_of(late).type == "/problems/no-answer-yet"


class TestPostgreSQL:
    @pytest.mark.parametrize(
        "kind",
        [
            errors.AdminShutdown,
            errors.CrashShutdown,
            errors.CannotConnectNow,
            errors.TooManyConnections,
            errors.ReadOnlySqlTransaction,
            errors.IdleInTransactionSessionTimeout,
            errors.TransactionTimeout,
            errors.QueryCanceled,
            errors.DiskFull,
            errors.DeadlockDetected,
            psycopg.OperationalError,
            psycopg.InterfaceError,
        ],
    )
    def test_gone_or_unwilling_wrapped_or_not(self, kind: type[psycopg.Error]) -> None:
        wrapped = DBAPIError.instance("SELECT 1", None, kind("x"), psycopg.Error)

        assert problem_of(kind("x")).type == "/problems/unavailable"
        assert problem_of(wrapped).type == "/problems/unavailable"

    @pytest.mark.parametrize("kind", [errors.DeadlockDetected, errors.SerializationFailure])
    def test_a_transaction_that_met_another_is_no_outage(self, kind: type[psycopg.Error]) -> None:
        for error in (kind("no"), DBAPIError("UPDATE", {}, kind("no"))):
            said = problem_of(error)
            assert said.type == "/problems/unavailable"
            assert "another request" in said.detail

    def test_a_transaction_whose_connection_was_lost(self) -> None:
        assert problem_of(PendingRollbackError("x")).type == "/problems/unavailable"

    @pytest.mark.parametrize("kind", [errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction])
    def test_another_schema_than_ours(self, kind: type[psycopg.Error]) -> None:
        assert problem_of(DBAPIError.instance("SELECT 1", None, kind("x"), psycopg.Error)).type == "/problems/not-ready"

    def test_a_broken_statement_stays_a_defect(self) -> None:
        error = DBAPIError.instance("SELECT", None, errors.SyntaxError("x"), psycopg.Error)

        assert problem_of(error).type == "/problems/internal-error"
