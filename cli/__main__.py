"""`python -m cli` is `dom`."""

from cli.main import app

app()
