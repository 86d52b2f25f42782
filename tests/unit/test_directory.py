"""Joining names into identities, and telling people from machines."""

from typing import Any

import msgspec
import pytest

from quivive.baseline.directory import MOST_NAME, Directory, kind_of
from quivive.model.event import AuthEvent, Product, User, UserType
from quivive.model.record import RawRecord
from quivive.sources import cloudtrail, keycloak, kubernetes
from tests.scenario.company import DANA, at, usual


def of(**user: Any) -> AuthEvent:
    return msgspec.structs.replace(usual(DANA, at(0)), user=User(**user))


def audited(username: str) -> AuthEvent:
    """An audit event of the Kubernetes API server for this user."""
    fields = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete",
        "verb": "get", "user": {"username": username},
        "requestReceivedTimestamp": "2026-04-02T06:00:00.000000Z",
    }  # fmt: skip
    event = kubernetes.SOURCE.parse(
        RawRecord(log="audit", sequence=1, line=1, body=b"", fields=fields)
    )
    assert isinstance(event, AuthEvent)
    return event


PREFIXED = [
    "oidc:dana@example.com",
    "corp:oidc:dana@example.com",
    "https://issuer.example/realms/x#dana@example.com",
    "https://issuer.example:8443/#dana@example.com",
]


@pytest.mark.parametrize("name", ["Dana@Example.com", *PREFIXED])
def test_names_with_their_oidc_provider_join_the_person(name: str) -> None:
    directory = Directory()
    event = of(name=name, type_id=UserType.USER)
    assert directory.resolve(event) == DANA.email
    assert directory.resolve(usual(DANA, at(0))) == DANA.email
    assert directory.resolve(of(name="dana", type_id=UserType.USER)) == DANA.email
    assert kind_of(event.user, DANA.email, tool=True) == "human"


@pytest.mark.parametrize("name", ["dana@example.com", "Dana@Example.com"])
def test_kubernetes_users_named_by_their_address_join_the_person(name: str) -> None:
    assert Directory().resolve(audited(name)) == DANA.email


@pytest.mark.parametrize("name", PREFIXED)
def test_kubernetes_users_of_an_oidc_provider_join_the_person(name: str) -> None:
    assert Directory().resolve(audited(name)) == DANA.email


def test_a_service_accounts_name_joins_nobody() -> None:
    directory = Directory()
    event = audited("system:serviceaccount:shop:checkout")
    assert directory.resolve(event) == "system:serviceaccount:shop:checkout"
    assert kind_of(event.user, directory.resolve(event), tool=False) == "service"


def test_a_role_without_a_person_is_a_service() -> None:
    role = of(uid="arn:aws:iam::111122223333:role/reports")
    assert kind_of(role.user, Directory().resolve(role), tool=False) == "service"
    outside = of(uid="AIDAEXAMPLEOTHERACCOUNT")
    assert kind_of(outside.user, Directory().resolve(outside), tool=False) == "service"


@pytest.mark.parametrize(
    ("session", "kind"), [("i-0abc123def4567890", "service"), (DANA.email, "human")]
)
def test_a_role_taken_by_a_named_person_is_that_persons(session: str, kind: str) -> None:
    fields = {
        "eventTime": "2026-03-01T08:00:00Z", "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROAEXAMPLE:{session}",
            "arn": f"arn:aws:sts::111122223333:assumed-role/reports/{session}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "userName": "reports",
                                  "arn": "arn:aws:iam::111122223333:role/reports"}
            },
        },
    }  # fmt: skip
    event = cloudtrail.SOURCE.parse(
        RawRecord(log="trail", sequence=1, line=1, body=b"", fields=fields)
    )
    assert isinstance(event, AuthEvent)
    identity = Directory().resolve(event)
    assert kind_of(event.user, identity, tool=False) == kind
    assert (identity == DANA.email) == (kind == "human")


def test_an_id_seen_beside_an_email_leads_to_it_later() -> None:
    directory = Directory()
    directory.resolve(of(email_addr="anna@example.com", uid="oid-1", uid_alt="S-1-5-21-1104"))
    assert directory.resolve(of(name="EXAMPLE\\aw", uid="S-1-5-21-1104")) == "anna@example.com"


def test_an_id_that_people_share_leads_to_nobody() -> None:
    directory = Directory()
    for person in ("anna@example.com", "bert@example.com"):
        directory.resolve(of(email_addr=person, uid="role-of-all"))
    assert directory.resolve(of(name="deployers", uid="role-of-all")) == "deployers"


@pytest.mark.parametrize("tail", ["", "@example.com"])
def test_a_name_that_anybody_can_make_as_long_as_he_likes_is_cut_and_stays_his(tail: str) -> None:
    directory = Directory()
    names = [f"{'é' * 5_000}{number}{tail}" for number in range(3)]
    email = {"email_addr": None}
    found = [directory.resolve(of(name=name, uid="u" * 5_000, **email)) for name in names]
    assert len(set(found)) == 3
    assert all(len(name) <= MOST_NAME for name in found)
    assert found == [Directory().resolve(of(name=name)) for name in names]
    whole = f"{'x' * (MOST_NAME - len(tail))}{tail}"
    assert directory.resolve(of(name=whole)) == whole
    kept = (*directory.ids, *directory.by_local_part, *directory.bare)
    assert all(len(name) <= MOST_NAME for name in kept)


def seen(product: str = "Keycloak", tenant: str | None = None, **user: Any) -> AuthEvent:
    event = of(**user)
    metadata = msgspec.structs.replace(
        event.metadata, product=Product(name=product), tenant_uid=tenant
    )
    return msgspec.structs.replace(event, metadata=metadata)


UUID = "3c9a0b52-8e4f-4a63-9d10-2c5e7f8a9b01"


@pytest.mark.parametrize("uid", [UUID, "17"])
def test_an_id_seen_beside_a_name_leads_to_it_where_it_stands_alone(uid: str) -> None:
    directory = Directory()
    assert directory.resolve(seen(uid=uid)) == uid  # nobody knows yet
    assert directory.resolve(seen(name="Anna", uid=uid)) == "anna"
    assert directory.resolve(seen(uid=uid)) == "anna"
    assert directory.resolve(seen(name="EXAMPLE\\anna", uid=uid)) == "anna"
    assert directory.resolve(seen(uid=uid)) == "anna"
    # Later the address of that name is known: then both are its.
    assert directory.resolve(seen(email_addr="anna@example.com")) == "anna@example.com"
    assert directory.resolve(seen(uid=uid)) == "anna@example.com"
    assert directory.resolve(seen(name="anna", uid=uid)) == "anna@example.com"


def test_an_address_beside_an_id_counts_more_than_a_name() -> None:
    directory = Directory()
    directory.resolve(seen(name="aw", uid=UUID))
    directory.resolve(seen(email_addr="anna@example.com", uid=UUID))
    assert directory.resolve(seen(uid=UUID)) == "anna@example.com"
    assert directory.resolve(seen(name="aw", uid=UUID)) == "anna@example.com"


def test_an_id_with_several_names_leads_to_none_and_names_count_more() -> None:
    """As that of a role, whose sessions have names of their own."""
    directory = Directory()
    for name in ("anna", "bert", "anna"):
        assert directory.resolve(seen(name=name, uid="AROAEXAMPLEOFTWOPEOPLE")) == name
    assert directory.resolve(seen(uid="AROAEXAMPLEOFTWOPEOPLE")) == "aroaexampleoftwopeople"


def test_services_and_shared_names_are_led_to_as_they_are() -> None:
    directory = Directory()
    service = {"uid": UUID, "type_id": UserType.SERVICE}
    directory.resolve(seen(name="EXAMPLE\\sync", **service))
    assert directory.resolve(seen(**service)) == "example\\sync"
    directory.resolve(seen("GitLab", name="admin", uid="1"))
    shared = directory.resolve(seen("GitLab", name="admin", uid="1"))
    assert shared.startswith("admin (")
    assert directory.resolve(seen("GitLab", uid="1")) == shared


@pytest.mark.parametrize(
    ("other", "tenant"), [("authentik", None), ("GitLab", "another"), ("authentik", "another")]
)
def test_a_short_id_counts_only_within_its_product_and_tenant(
    other: str, tenant: str | None
) -> None:
    directory = Directory()
    directory.resolve(seen("GitLab", email_addr="anna@example.com", uid="7"))
    directory.resolve(seen("GitLab", name="bert", uid="8"))
    assert directory.resolve(seen(other, tenant, name="carla", uid="7")) == "carla"
    assert directory.resolve(seen(other, tenant, uid="8")) == "8"
    directory.resolve(seen(other, tenant, email_addr="dora@example.com", uid="7"))
    assert directory.resolve(seen(other, tenant, uid="7")) == "dora@example.com"
    assert directory.resolve(seen("GitLab", uid="7")) == "anna@example.com"
    assert directory.resolve(seen("GitLab", uid="8")) == "bert"


@pytest.mark.parametrize("uid", [UUID, "S-1-5-21-1104", "arn:aws:iam::1:user/a"])
def test_an_id_that_nobody_else_gives_counts_everywhere(uid: str) -> None:
    directory = Directory()
    directory.resolve(seen("Entra ID", "t", email_addr="anna@example.com", uid=uid))
    assert directory.resolve(seen("Windows", uid=uid)) == "anna@example.com"


def test_a_directory_of_before_keeps_what_it_knew() -> None:
    old = msgspec.msgpack.encode({"ids": {"7": "anna@example.com", UUID: "bert@example.com"}})
    directory = msgspec.msgpack.decode(old, type=Directory)
    assert directory.resolve(seen("GitLab", uid="7")) == "anna@example.com"
    assert directory.resolve(seen("GitLab", uid=UUID)) == "bert@example.com"
    directory.resolve(seen("GitLab", email_addr="carla@example.com", uid="7"))
    assert directory.resolve(seen("GitLab", uid="7")) == "carla@example.com"
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(directory), type=Directory)
    assert again == directory


def test_long_ids_and_names_are_not_kept() -> None:
    directory = Directory()
    directory.resolve(seen(name="x" * 5_000, uid=UUID))
    directory.resolve(seen(name="anna", uid="u" * 5_000))
    assert directory.names == {}


def test_a_keycloak_user_without_an_address_is_one_identity() -> None:
    """A login names the user; a refreshed token and an administrator's change only the id."""
    made = []
    for number, more in enumerate(({"details": {"username": "Anna"}}, {}), 1):
        fields = {
            "id": f"e-{number}", "time": 1772438400000 + number,
            "type": "LOGIN" if more else "REFRESH_TOKEN", "realmId": "r", "clientId": "app",
            "userId": UUID, "ipAddress": "192.0.2.7", **more,
        }  # fmt: skip
        record = RawRecord(log="keycloak", sequence=number, line=1, body=b"", fields=fields)
        event = keycloak.SOURCE.parse(record)
        assert isinstance(event, AuthEvent)
        made.append(event)
    directory = Directory()
    assert [directory.resolve(event) for event in made] == ["anna", "anna"]
