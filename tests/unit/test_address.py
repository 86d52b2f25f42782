"""Addresses that OCSF refuses as ``email_addr``: the name of the user, and the same identity."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from quivive.app.intents import requests_of_line
from quivive.baseline.directory import Directory
from quivive.model.address import _OCSF, address_in, is_ocsf, mail_address
from quivive.model.event import OCSF_VERSION, AuthEvent, User, UserType
from quivive.model.ocsf import decode_event, encode_event
from quivive.model.record import RawRecord
from quivive.sources import keycloak
from tests.unit.test_directory import of

ODD = ["jürgen@müller.example", "anna@exämple.com", "李@例子.example", 'o"brien@example.com',
       "anna@under_score.example"]  # fmt: skip


def validator() -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION))
    return Draft202012Validator(schema.get_class_schema("authentication", ["host"]))


def test_the_pattern_is_that_of_the_schema() -> None:
    types = get_ocsf_schema(OCSF_VERSION)["dictionary"]["types"]["attributes"]
    assert types["email_t"]["regex"] == f"^{_OCSF.pattern}$"


@pytest.mark.parametrize("odd", ODD)
def test_it_is_the_name_and_the_event_is_valid(odd: str) -> None:
    event = of(name="jm", email_addr=odd, uid="u-1")
    assert (event.user.name, event.user.email_addr, event.user.address) == (odd, None, odd)
    body = encode_event(event)
    assert not list(validator().iter_errors(json.loads(body)))
    assert decode_event(body) == event
    given = of(name=odd.upper().replace("SS", "ß"), email_addr=odd)
    assert given.user.name is not None
    assert given.user.name.lower() == odd  # as it was written, where that is the address
    assert User(name="jm", email_addr="jm@example.com").address == "jm@example.com"


@pytest.mark.parametrize("odd", ODD)
def test_the_identity_is_the_same_as_of_any_address(odd: str) -> None:
    """Ids lead to it, and bare names; also from a line that was written before."""
    directory = Directory()
    assert directory.resolve(of(name="jm", email_addr=odd, uid="S-1-5-21-7")) == odd
    assert directory.resolve(of(name="EXAMPLE\\other", uid="S-1-5-21-7")) == odd
    assert directory.resolve(of(name=odd.partition("@")[0])) == odd
    event = of(name="x", email_addr="plain@example.com")
    old = encode_event(event).replace(b"plain@example.com", json.dumps(odd)[1:-1].encode())
    assert Directory().resolve(decode_event(old)) == odd
    aliased = Directory(aliases={odd: "known@example.com"})
    assert aliased.resolve(of(name="x", email_addr=odd)) == "known@example.com"


def test_a_source_that_finds_one_keeps_the_identity() -> None:
    fields = {
        "id": "e-1", "time": 1772438400000, "type": "LOGIN", "realmId": "r", "clientId": "app",
        "userId": "7", "ipAddress": "192.0.2.7", "details": {"username": "Jürgen@Müller.example"},
    }  # fmt: skip
    event = keycloak.SOURCE.parse(
        RawRecord(log="keycloak", sequence=1, line=1, body=b"", fields=fields)
    )
    assert isinstance(event, AuthEvent)
    assert event.user.email_addr is None
    assert event.user.name == "Jürgen@Müller.example"
    assert Directory().resolve(event) == "jürgen@müller.example"


def test_what_is_asked_of_vendors_names_the_address() -> None:
    event = json.loads(encode_event(of(name="x", email_addr=ODD[0], type_id=UserType.USER)))
    line: dict[str, Any] = {
        "event": event, "id": "a", "identity": ODD[0], "identity_kind": "human", "reasons": [],
        "risk_score": 90.0, "risk_level": "critical", "confidence": 1.0,
        "decision": {"action": "revoke", "mode": "enforce", "rule": "r"},
    }  # fmt: skip
    (request,) = requests_of_line(json.dumps(line).encode(), action="revoke")
    assert request.target.email == ODD[0]


@given(st.text(alphabet=st.sampled_from('aB.@-_+é"/: x'), max_size=14))
def test_either_is_an_address_for_ocsf_or_stands_in_the_name(text: str) -> None:
    found = mail_address(text)
    user = User(name="n", email_addr=found)
    assert user.address == found
    assert user.email_addr is None or is_ocsf(user.email_addr)
    assert address_in(found) == (None if found is None or is_ocsf(found) else found)
