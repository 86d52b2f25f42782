"""Asking AWS through boto3 (extra ``aws``), with its errors put into ours."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from quivive.respond.errors import RefusedError, RejectedError, UnavailableError
from quivive.respond.response import Talk

_BUSY = frozenset(
    "Throttling ThrottlingException RequestLimitExceeded TooManyRequestsException ServiceFailure"
    " ServiceUnavailable ServiceUnavailableException InternalFailure InternalServiceError"
    " InternalServiceErrorException ConcurrentModification RequestTimeout".split()
)


class AwsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How AWS is asked. Credentials come from boto3's own chain (instance role, environment).

    region: of the service. role: ARN of a role to assume first. profile: of the AWS configuration.
    account: the account that may be touched; a login of another one is refused.
    """

    region: str = "us-east-1"
    role: str | None = None
    profile: str | None = None
    account: str | None = None


def service(settings: AwsSettings, name: str, talk: Talk) -> Any:
    """A boto3 client of a service; None in a dry run. Raises RefusedError without boto3."""
    if talk.dry:
        return None
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise RefusedError("boto3 is missing; install quivive with the extra aws") from None
    config = Config(
        connect_timeout=5, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"}
    )
    session = boto3.Session(profile_name=settings.profile, region_name=settings.region)
    if settings.role is not None:
        given = translated(
            talk,
            lambda: session.client("sts", config=config).assume_role(
                RoleArn=settings.role, RoleSessionName="quivive-respond"
            ),
        )["Credentials"]
        session = boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=settings.region,
        )
    return session.client(name, config=config)


def ask(talk: Talk, words: str, asked: Callable[[], Any], stand_in: Any = None) -> Any:
    """Asks once (boto3 retries by itself). Raises RespondError."""
    return talk.call(words, lambda: translated(talk, asked), stand_in)


def translated(talk: Talk, asked: Callable[[], Any]) -> Any:
    """What is asked, with AWS's errors as ours, and the circuit breaker told of them."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    breaker, now = talk.client.breaker, talk.client.clock.now
    if not breaker.allows(now()):
        raise UnavailableError("AWS kept failing and is left alone for a while",
                               retry_after=breaker.wait(now()))  # fmt: skip
    try:
        found = asked()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _BUSY or status >= 500 or status == 429:
            breaker.failed(now())
            raise UnavailableError(f"AWS cannot be asked just now ({code})") from None
        breaker.succeeded()
        missing = status == 404 or code in ("NoSuchEntity", "ResourceNotFoundException")
        raise RejectedError(f"AWS refused ({code})", status=404 if missing else status) from None
    except NoCredentialsError:
        breaker.trying = False
        raise RefusedError("no AWS credentials here; give the process a role") from None
    except BotoCoreError as error:
        breaker.failed(now())
        raise UnavailableError(f"AWS cannot be asked just now ({type(error).__name__})") from None
    breaker.succeeded()
    if isinstance(found, dict):
        meta = found.get("ResponseMetadata", {})
        talk.request_id = meta.get("RequestId") or talk.request_id
    return found
