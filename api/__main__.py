"""`python -m api`: the API as a process of its own."""

import uvicorn

from api.app import create_app
from bootstrap import starting, temporal


def main() -> None:
    """Serve until SIGTERM or SIGINT; running requests get their answer first."""
    with starting.process() as configured:
        temporal.options(configured)  # what cannot be read is said now, in one line
        uvicorn.run(
            create_app(configured),
            host=configured.api_host,
            port=configured.api_port,
            loop="auto",
            http="auto",
            ws="none",
            access_log=False,
            log_config=None,
            log_level=configured.log_level.lower(),
            timeout_graceful_shutdown=10,
            server_header=False,
        )


if __name__ == "__main__":
    main()
