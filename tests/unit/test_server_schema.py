"""The description keeps what it says: generated requests, and every answer as it is described."""

from collections.abc import Iterator

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import BaseSchema, GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks

from quivive.server.openapi import describe
from quivive.server.routes import ENDPOINTS, SSF, Endpoint
from tests.unit.serving import Served, login
from tests.vendor import key_pem


def test_every_endpoint_is_described() -> None:
    found = describe()
    assert {(m.upper(), p) for p, ms in found["paths"].items() for m in ms} == {
        (e.method, e.path) for e in (*ENDPOINTS, *SSF)
    }
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["responses"], where
    assert found["openapi"] == "3.1.0"
    assert msgspec.json.encode(found)


EXAMPLES = settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# A body may be any record of any vendor: what is a login is for the sources to say, not the schema.
LEFT_OUT = [
    openapi_checks.positive_data_acceptance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.ignored_auth,  # test_server_access.py walks every route
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "key.pem").write_text(key_pem("ec"))
    (folder / "config.yaml").write_text(
        "responses: {connections: [{vendor: caep, settings: {issuer: 'https://q.example.com',"
        f" key: {{file: {folder / 'key.pem'}}}, streams: true, poll_seconds: 0}}}}]}}"
    )
    found = Served(folder / "state", config=folder / "config.yaml")
    for number in range(3):
        found.ask("POST", "/v1/assess", json=login(number))
    yield found
    found.close()


@pytest.fixture(scope="module")
def schema(served: Served) -> BaseSchema:
    headers = {"authorization": f"Bearer {served.token}"}
    return schemathesis.openapi.from_asgi("/v1/openapi.json", served.server.front, headers=headers)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *SSF], ids=lambda e: f"{e.method} {e.path}")
def test_answers_are_as_they_are_described(
    served: Served, schema: BaseSchema, endpoint: Endpoint
) -> None:
    operation = schema[endpoint.path][endpoint.method]
    headers = {"authorization": f"Bearer {served.token}"}
    strategies = [
        operation.as_strategy(generation_mode=mode) for mode in GenerationMode if mode is not None
    ]

    for strategy in strategies:

        @EXAMPLES
        @given(case=strategy)
        def run(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

        try:
            run()
        except Unsatisfiable:  # nothing can be wrong with a request that has no parameters
            continue


def test_a_known_login_and_identity_are_as_they_are_described(
    served: Served, schema: BaseSchema
) -> None:
    headers = {"authorization": f"Bearer {served.token}"}
    for path, name in (
        ("/v1/assessments/{id}", login()["metadata"]["uid"]),
        ("/v1/identities/{id}", "ann@example.com"),
    ):
        case = schema[path]["GET"].Case(path_parameters={"id": name})
        response = case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)
        assert response.status_code == 200
    case = schema["/v1/assess"]["POST"].Case(body=login(8), media_type="application/json")
    response = case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)
    assert response.status_code == 200
