"""A method an address does not know is refused with those it knows: all of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.openapi import generate
from tests.api.driving import problem

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
PATHS: dict[str, Any] = generate()["paths"]


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_what_is_not_in_the_document_is_405_with_what_is(http: httpx.AsyncClient, path: str) -> None:
    known = {method.upper() for method in PATHS[path]}
    address = path.replace("{version}", "1").replace("{", "").replace("}", "")
    for method in set(METHODS) - known:
        answer = await http.request(method, address)
        problem(answer, 405, "method-not-allowed")
        assert {each.strip() for each in answer.headers["allow"].split(",")} == known, method


async def test_an_address_of_nothing_is_404_whatever_the_method(http: httpx.AsyncClient) -> None:
    for method in METHODS:
        problem(await http.request(method, "/v1/nothing"), 404, "not-found")
