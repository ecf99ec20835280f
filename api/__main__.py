"""`python -m api`: the API as a process of its own."""

import uvicorn

import settings
from api.app import create_app
from logs import configure_logging


def main() -> None:
    """Serve until SIGTERM or SIGINT; running requests get their answer first."""
    configured = settings.load()
    configure_logging(configured.log_level, as_json=configured.log_json)
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
