"""Whether this container serves: a worker made its ready file, an API answers that it is ready. Exit code 0 or 1."""

import os
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

PATIENCE_SECONDS = 4


def serves(environment: Mapping[str, str]) -> bool:
    """A worker is told a ready file by DOM_READY_FILE; whoever has none is an API on DOM_API_PORT."""
    ready_file = environment.get("DOM_READY_FILE")
    if ready_file:
        return Path(ready_file).exists()
    return _answers_ready(int(environment.get("DOM_API_PORT", "8000")))


def _answers_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if serves(os.environ) else 1)
