"""Why no Temporal server can be talked to, in words; found out by a connection of its own.

The SDK says what its TLS library said, for programmers. This looks again with Python's: whether the name is known,
whether somebody listens, whether he speaks TLS, what is wrong with his certificate and whether he wants one of ours.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final

from temporalio.service import TLSConfig

from bootstrap.problems import StartProblem

PATIENCE_SECONDS: Final = 5.0
_REFUSAL_WITHIN_SECONDS: Final = 1.0
"""A server that wants a client certificate says so right after the handshake; one that does not stays silent."""
_WRONG_NAME: Final = {62, 64}
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_CORRECT_ADDRESS: Final = "start that server, correct DOM_TEMPORAL_ADDRESS, or unset it to use the embedded one"


async def problem(options: Mapping[str, Any], said: str) -> StartProblem:
    """What stands between us and the server of these arguments of `Client.connect`; `said` is what the SDK said."""
    found = await asyncio.to_thread(_look, options)
    return found or StartProblem(
        f"the Temporal server at {options['target_host']} cannot be talked to ({said})",
        "correct DOM_TEMPORAL_ADDRESS or the variables TEMPORAL_*",
    )


def _look(options: Mapping[str, Any]) -> StartProblem | None:
    address = str(options["target_host"])
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return StartProblem(
            f"DOM_TEMPORAL_ADDRESS is {address!r}, which is no host:port", "correct it, for example localhost:7233"
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_SECONDS) as connection:
            tls = options.get("tls", False)
            if tls is False:
                return _look_without_tls(address, connection)
            return _look_by_tls(address, host, connection, tls if isinstance(tls, TLSConfig) else TLSConfig())
    except socket.gaierror as error:
        return StartProblem(f"the host of {address} is not known ({error.strerror})", _CORRECT_ADDRESS)
    except OSError as error:
        return StartProblem(f"no Temporal server answers at {address} ({error.strerror or error})", _CORRECT_ADDRESS)


def _look_without_tls(address: str, connection: socket.socket) -> StartProblem | None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only to see whether it speaks TLS at all
    try:
        context.wrap_socket(connection, server_hostname="unknown").close()
    except OSError:
        return None
    return StartProblem(
        f"the Temporal server at {address} speaks TLS and we do not",
        "set TEMPORAL_TLS=true, with certificates or a key where it asks for them",
    )


def _look_by_tls(address: str, host: str, connection: socket.socket, tls: TLSConfig) -> StartProblem | None:
    expected = tls.domain or host.strip("[]")
    try:
        context = ssl.create_default_context(
            cadata=tls.server_root_ca_cert.decode("ascii") if tls.server_root_ca_cert else None
        )
    except (ssl.SSLError, UnicodeDecodeError):
        return StartProblem(
            "the CA certificate for the Temporal server cannot be read",
            "correct TEMPORAL_TLS_SERVER_CA_CERT_PATH: it wants PEM",
        )
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(connection, server_hostname=expected) as secured:
            return _wants_ours(address, secured, tls)
    except ssl.SSLCertVerificationError as error:
        wrong = error.verify_code in _WRONG_NAME
        return StartProblem(
            f"the certificate of the Temporal server at {address} is not accepted ({error.verify_message.rstrip('.')})",
            "correct the address, or set TEMPORAL_TLS_SERVER_NAME to a name it stands for"
            if wrong
            else "set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the CA that signed it",
        )
    except ssl.SSLError:
        return StartProblem(
            f"the server at {address} does not speak TLS as we do",
            "unset TEMPORAL_TLS*, and TEMPORAL_API_KEY, for a server without, or correct DOM_TEMPORAL_ADDRESS",
        )


def _wants_ours(address: str, secured: ssl.SSLSocket, tls: TLSConfig) -> StartProblem | None:
    secured.settimeout(_REFUSAL_WITHIN_SECONDS)
    try:
        answered = secured.recv(1)
    except TimeoutError:
        return None
    except (ssl.SSLError, ConnectionError):
        answered = b""
    if answered:
        return None
    if tls.client_cert is None:
        what = f"the Temporal server at {address} wants a client certificate, and none is configured"
    else:
        what = f"the Temporal server at {address} does not accept our client certificate"
    return StartProblem(what, "set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to one it accepts")
