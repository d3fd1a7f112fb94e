"""Every address against its own description: requests made from the OpenAPI document, right ones and wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from candu_source.doors.openapi import document
from candu_source.model import Rules
from candu_source.settings import Settings
from tests.doors.sender import Sender, Web

ORIGIN = "https://app.example.com"
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = {"/v1/amplitude": 50, "/v1/amplitude/{token}": 50}  # two addresses of one door share them
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
OPERATIONS = [
    (method, path, mode)
    for path, each in document()["paths"].items()
    for method in each
    if method != "parameters"
    for mode in ((RIGHT, WRONG) if method == "post" else (RIGHT,))
]


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    """Make a connection that takes everything, behind doors that never say 429."""
    path = tmp_path_factory.mktemp("schemathesis")
    web = Web(Settings(store_url=f"sqlite:///{path}/store.db", browser_address_limit=10**9, browser_token_limit=10**9))
    return web.sender(Rules(allowed_origins=(ORIGIN,), custom_events="send"))


@pytest.fixture(scope="module")
def described(caller: Sender) -> Any:
    """Read the document as it is served."""
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", caller.web.app)


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS, ids=str)
def test_an_address_does_what_it_says(described: Any, caller: Sender, method: str, path: str, mode: schemathesis.GenerationMode) -> None:
    operation = described[path][method.upper()]
    tokens = {"token": caller.connection.public_token if "browser" in path else caller.token} if "{token}" in path else {}

    @settings(max_examples=EXAMPLES.get(path, 100), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), known=st.integers(0, 9).map(bool), origin=st.sampled_from([ORIGIN, None]))
    def ask(case: Any, known: bool, origin: str | None) -> None:
        if known:
            case.path_parameters.update(tokens)
            case.headers["Authorization"] = f"Bearer {caller.token}"
        if origin:
            case.headers["Origin"] = origin
        case.call_and_validate(checks=CHECKS)

    ask()
