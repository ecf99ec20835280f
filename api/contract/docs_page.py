"""The page `/docs`: Swagger UI, with every file it loads served from here, so that it works without other networks."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

PATH: Final = "/docs"
FILES: Final = "/docs/files"
_FOLDER: Final = Path(str(files("fastapi_offline"))) / "static"
"""The package brings the files of Swagger UI; nothing else of it is used."""


def add_to(app: FastAPI) -> None:
    """Serve the page and its files. They are no part of the contract."""
    app.mount(FILES, StaticFiles(directory=_FOLDER), name="docs-files")

    @app.get(PATH, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}{FILES}/favicon.png",
            # Off: the badge that sends the document's address to a public validator.
            swagger_ui_parameters={"validatorUrl": "none", "defaultModelsExpandDepth": 0},
        )
