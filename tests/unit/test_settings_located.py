"""Errors in settings files name the line; secrets that are not there are named at the start."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from quivive.app.channels import read_settings as read_channels
from quivive.app.errors import UsageError
from quivive.app.missing_secrets import missing_secrets
from quivive.app.responses import load_responses
from quivive.model.errors import ConfigurationError
from quivive.server.run import Listen, checked
from quivive.server.settings import read_settings
from tests.unit.serving import Served

OKTA = (
    "responses:\n  connections:\n  - vendor: okta\n    settings:\n      url: https://x.okta.com\n"
)
SLACK = "notify:\n  channels:\n  - name: soc\n    kind: slack\n    settings:\n      url: {}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server:\n\n  answer_second: 5\n",
         ":3: server: Object contains unknown field `answer_second`; is answer_seconds meant?"),
        ("server:\n  assess_bytes: many\n", ":2: server.assess_bytes: Expected `int`"),
        ("server:\n  edge:\n    identity: 5\n", ":3: server.edge.identity: "),
        ("# mine\nsever: {}\n", ":2: no section 'sever'"),
        ("server: 7\n", ":1: server: Expected `object`"),
        (OKTA, ":4: responses.connections[0].settings: Object missing required field `token`"),
        (OKTA + "      token: abc\n", ":6: responses.connections[0].settings.token: "),
        (OKTA.replace("vendor", "vendr"),
         ":3: responses.connections[0]: Object contains unknown field `vendr`; is vendor meant?"),
        ("responses:\n  attempts: 0\n", ":2: responses.attempts: "),
        (SLACK.replace("slack", "smoke"), ":3: notify: channel soc: no kind 'smoke'"),
        (SLACK.replace("{}", "5"), ":6: notify: channel soc: settings: "),
        (SLACK + "    routes: [pager]\n", ":3: notify: 'pager' is no route"),
        ("notify: {console: foo}\n", ":1: notify: 'foo': write https"),
        ("server: [\n", ":2: "),
    ],
)  # fmt: skip
def test_the_line_of_a_wrong_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(text)

    def read() -> None:
        for reads in (read_settings, load_responses, read_channels):
            reads(file)

    with pytest.raises(UsageError) as error:
        read()
    assert str(error.value).startswith(f"{file}{said}")


def test_secrets_that_are_not_there_are_named_with_whose_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = tmp_path / "q.yaml", tmp_path / "hook"
    file.write_text(
        OKTA + "      token: {env: QUIVIVE_NOT_THERE}\n" + SLACK.format(f"{{file: {kept}}}")
    )
    monkeypatch.delenv("QUIVIVE_NOT_THERE", raising=False)
    first, second = missing_secrets(file)
    assert first.startswith("connection okta: environment variable QUIVIVE_NOT_THERE: not set")
    assert second.startswith(f"channel soc: {kept}: No such file")
    kept.write_text("https://hooks.example.com/s3cret\n")
    monkeypatch.setenv("QUIVIVE_NOT_THERE", "s3cret")
    assert missing_secrets(file) == []


def test_the_secret_of_signing_in_is_looked_for_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(
        "server:\n  oidc: {issuer: 'https://idp.example', client_id: q, console:"
        " 'https://q.example', client_secret: {env: QUIVIVE_NOT_THERE}}\n"
    )
    monkeypatch.delenv("QUIVIVE_NOT_THERE", raising=False)
    with capture_logs() as logged:
        Served(tmp_path / "state", config=file).close()
    missing = [line["what"] for line in logged if line["event"] == "secret missing"]
    assert [text.partition(":")[0] for text in missing] == ["oidc"]
    assert "environment variable QUIVIVE_NOT_THERE: not set" in missing[0]
    monkeypatch.setenv("QUIVIVE_NOT_THERE", "s3cret")
    with capture_logs() as logged:
        Served(tmp_path / "state", config=file).close()
    assert "secret missing" not in {line["event"] for line in logged}


def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    key.write_text("no key\n")
    with pytest.raises(ConfigurationError, match="no certificate with its key"):
        checked(Listen(tls=(cert, key)))


def test_a_key_with_a_passphrase_asks_no_terminal(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    from tests.scenario.test_server_process import certificate

    certificate(tmp_path)
    cert, file = tmp_path / "cert.pem", tmp_path / "key.pem"
    checked(Listen(tls=(cert, file)))
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    with pytest.raises(ConfigurationError, match="passphrase"):
        checked(Listen(tls=(cert, file)))
