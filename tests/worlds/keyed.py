"""A front before a Temporal server that wants an API key with every call, as Temporal Cloud does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from tests.worlds.tls import Authority

_SECONDS = 60
_OWN = ("user-agent", "content-type", "te", "grpc-")
"""Metadata that belongs to the connection, not to the call."""


@dataclass
class KeyedFront(grpc.GenericRpcHandler):
    """Hands calls with the key to the server behind it, and refuses all others."""

    behind: grpc.Channel
    key: str
    namespaces: set[str] = field(default_factory=set)
    """What callers said whose key it is."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """One unary call, by its name and its bytes."""
        told = dict(details.invocation_metadata)
        if told.get("authorization") != f"Bearer {self.key}":
            return grpc.unary_unary_rpc_method_handler(_refuse)
        if named := told.get("temporal-namespace"):
            self.namespaces.add(str(named))
        return grpc.unary_unary_rpc_method_handler(self._hand_on(details.method))

    def _hand_on(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        ask: Callable[..., bytes] = self.behind.unary_unary(method)

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            metadata = [each for each in context.invocation_metadata() if not each[0].startswith(_OWN)]
            try:
                return ask(request, timeout=context.time_remaining() or _SECONDS, metadata=metadata)
            except grpc.RpcError as error:
                refused: Any = error
                context.set_trailing_metadata(refused.trailing_metadata() or ())
                context.abort(refused.code(), refused.details())

        return call


def _refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the API key is missing or not known")


@contextmanager
def front(behind: str, signer: Authority, key: str) -> Iterator[tuple[int, KeyedFront]]:
    """The port of a front with TLS before the server, for callers with the key."""
    certificate = signer.ca.issue_cert("localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])
    with grpc.insecure_channel(behind) as channel, ThreadPoolExecutor(16) as pool:
        handler = KeyedFront(channel, key)
        server = grpc.server(pool, handlers=[handler])
        port = server.add_secure_port("localhost:0", credentials)
        server.start()
        try:
            yield port, handler
        finally:
            server.stop(grace=None).wait()
