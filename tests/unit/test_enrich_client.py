"""User agents and device descriptions become few, stable categories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.enrich.agents import OFFENSIVE
from quivive.enrich.client import Client, ClientParser, os_family
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, Device, HttpRequest, Metadata, Os, Product, User

PARSER = ClientParser()
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15"

IPAD = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 11; ONEPLUS A6013) AppleWebKit/537.36"


@pytest.mark.parametrize(
    ("agent", "os", "browser", "device", "version"),
    [
        (f"{WINDOWS} Chrome/118.0.0.0 Safari/537.36", "Windows", "Chrome", "desktop", "118"),
        (f"{WINDOWS} Chrome/123.0 Safari/537.36 Edg/123.0.1", "Windows", "Edge", "desktop", "123"),
        (f"{MAC} Chrome/9.1.2 Safari/537.36,gzip(gfe)", "macOS", "Chrome", "desktop", "9"),
        (
            f"{IPHONE} (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            "iOS", "Mobile Safari", "mobile", "16",
        ),
        (
            f"{IPHONE} (KHTML, like Gecko) CriOS/116.0 Mobile/15E148 Safari/604.1",
            "iOS", "Chrome Mobile iOS", "mobile", "116",
        ),
        (
            f"{IPAD} (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            "iOS", "Mobile Safari", "tablet", "16",
        ),
        (
            f"{ANDROID} (KHTML, like Gecko) Chrome/104.0.0.0 Mobile Safari/537.36",
            "Android", "Chrome Mobile", "mobile", "104",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0",
            "Linux", "Firefox", "desktop", "102",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Windows", "Internet Explorer", "desktop", "11",
        ),
    ],
)  # fmt: skip
def test_browsers(
    agent: str, os: str | None, browser: str, device: str | None, version: str
) -> None:
    assert PARSER.parse(agent) == Client(
        os=os, browser=browser, device_kind=device, family=browser, version=version, tool=False
    )


@pytest.mark.parametrize(
    ("agent", "family", "version", "os"),
    [
        ("aws-cli/2.13.0 Python/3.11.4 Linux/5.10 exe/x86_64", "aws-cli", "2", "Linux"),
        ("aws-cli/2.15.0 Python/3.11.6 Windows/10 exe/AMD64", "aws-cli", "2", "Windows"),
        ("aws-cli/2.15.0 Python/3.11.6 Darwin/23.1", "aws-cli", "2", "macOS"),
        ("Boto3/1.26.0 md/Botocore#1.29 os/linux#6.1-kali3-amd64", "Boto3", "1", "Kali Linux"),
        ("[Boto3/1.34.11 Python/3.8 Linux/5.4]", "Boto3", "1", "Linux"),
        ("aws-sdk-go/1.15.12 (go1.12.6; linux; amd64)", "aws-sdk-go", "1", "Linux"),
        (
            "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) aws-sdk-go-v2/1.2",
            "Terraform", "1", None,
        ),
        ("kubectl/v1.28.2 (darwin/amd64) kubernetes/89a4ea3", "kubectl", "1", "macOS"),
        ("kubectl/v1.28.0", "kubectl", "1", None),
        ("Helm/3.13.1", "helm", "3", None),
        ("kubelet/v1.32.0 (linux/arm64) kubernetes/e105b10", "kubelet", "1", "Linux"),
        ("curl/7.88.1", "curl", "7", None),
        ("python-requests/2.28.0", "python-requests", "2", None),
        ("Go-http-client/2.0", "Go-http-client", "2", None),
        ("okhttp/4.9", "okhttp", "4", None),
        ("PostmanRuntime/7.32", "Postman", "7", None),
        ("azsdk-python-identity/1.12.0 Python/3.10 (Linux-5.15)", "Azure SDK", "1", "Linux"),
        ("AZURECLI/2.50.0 (DEB) azsdk-python-x/22 (Linux-5)", "Azure CLI", "2", "Linux"),
        ("google-cloud-sdk gcloud/430.0.0 command/x (Linux 5.10)", "gcloud", "430", "Linux"),
        ("S3 Browser/10.8.1 (https://s3browser.com)", "S3 Browser", "10", None),
        ("S3 Browser 9.5.5 https://s3browser.com/", "S3 Browser", "9", None),
        ("Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org)", "nmap", None, None),
        (f"{WINDOWS} WindowsPowerShell/5.1.1", "PowerShell", "5", "Windows"),
        ("aws-sdk-nodejs/2.1 linux/v16 x-for-github-actions", "GitHub Actions", None, "Linux"),
        ("BAV2ROPC", "BAV2ROPC", None, None),
        ("cloudformation.amazonaws.com", "AWS service", None, None),
        ("AWS Internal", "AWS service", None, None),
        ("SomethingNew/7.2 x", "SomethingNew", "7", None),
    ],
)  # fmt: skip
def test_tools(agent: str, family: str, version: str | None, os: str | None) -> None:
    client = PARSER.parse(agent)
    assert (client.family, client.version, client.os) == (family, version, os)
    assert client.tool
    assert client.browser is None


@pytest.mark.parametrize(
    ("agent", "family", "os"),
    [
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "Outlook", "Windows"),
        (f"{WINDOWS} Teams/1.5.00 Chrome/85.0 Electron/10.4", "Microsoft Teams", "Windows"),
        ("Outlook-iOS/2.0", "Outlook", "iOS"),
        ("console.amazonaws.com", "AWS Console", None),
        ("example-user-agent", "Other", None),
    ],
)
def test_programs_with_a_person_in_front(agent: str, family: str, os: str | None) -> None:
    client = PARSER.parse(agent)
    assert (client.family, client.os, client.tool) == (family, os, False)


def test_servers_are_told_by_where_the_program_runs() -> None:
    assert PARSER.parse("Boto3/1.2 Linux/5.1 exec-env/AWS_Lambda_python3.9").device_kind == "server"
    assert PARSER.parse("kubelet/v1.32.0 (linux/arm64)").device_kind == "server"
    assert PARSER.parse("aws-cli/2.13.0 Python/3.11 Linux/5.10").device_kind is None


@pytest.mark.parametrize(
    ("hint", "agent"),
    [
        ("Chrome 118.0.0", f"{WINDOWS} Chrome/118.0.0.0 Safari/537.36"),
        ("Edge 123.0.2420", f"{WINDOWS} Chrome/123.0 Safari/537.36 Edg/123.0.1"),
        ("IE 11.0", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"),
        (
            "Mobile Safari 16.6",
            f"{IPHONE} (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
        ),
    ],
)
def test_browser_hints_give_the_same_families(hint: str, agent: str) -> None:
    told, parsed = PARSER.parse(hint), PARSER.parse(agent)
    assert (told.family, told.browser, told.version) == (
        parsed.family, parsed.browser, parsed.version
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Windows 10", "Windows"),
        ("Windows10", "Windows"),
        ("MacOs", "macOS"),
        ("Mac OS X", "macOS"),
        ("Ios 17.1", "iOS"),
        ("Android 13", "Android"),
        ("Debian GNU/Linux", "Linux"),
        ("Chrome OS", "ChromeOS"),
        ("crossbrowser", None),
        ("", None),
    ],
)
def test_system_names(name: str, family: str | None) -> None:
    assert os_family(name) == family


def event(agent: str | None = None, system: str | None = None) -> AuthEvent:
    return AuthEvent(
        time=1_700_000_000_000,
        activity_id=1,
        status_id=1,
        user=User(name="alice"),
        metadata=Metadata(version="1.8.0", product=Product(name="Example")),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        device=Device(type_id=0, os=Os(name=system, type_id=0)) if system else None,
    )


def client_of(login: AuthEvent) -> Client:
    return Enricher().enrich(login).client


def test_the_device_tells_what_the_agent_does_not() -> None:
    assert client_of(event()) == Client()
    assert client_of(event(system="Windows 10")) == Client(os="Windows", device_kind="desktop")
    hinted = client_of(event("Mobile Safari 17.1", "Ios 17.1"))
    assert (hinted.os, hinted.browser, hinted.device_kind) == ("iOS", "Mobile Safari", "mobile")
    both = client_of(event(f"{WINDOWS} Chrome/118.0.0.0 Safari/537.36", "MacOs"))
    assert both.os == "Windows"


def test_offensive_names_are_families_that_occur() -> None:
    assert PARSER.parse("Boto3/1.2 pacu").family in OFFENSIVE
    assert PARSER.parse("aws-cli/2.1 Linux/6.1-kali").os in OFFENSIVE


@given(st.text(max_size=700), st.none() | st.text(max_size=40))
def test_any_text_is_a_client(agent: str, system: str | None) -> None:
    client = PARSER.parse(agent, system)
    assert client.family is None or len(client.family) <= 200


def test_huge_agents_are_cut() -> None:
    huge = "curl/8.1 " + "A" * 1_000_000
    assert PARSER.parse(huge).family == "curl"
