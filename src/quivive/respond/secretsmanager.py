"""AWS Secrets Manager: rotate the secret of a machine identity at once."""

from msgspec import field

from quivive.model.response import ResponseRequest
from quivive.respond._aws import AwsSettings, ask, service
from quivive.respond.response import DONE, Action, Outcome, Talk, needed


class Settings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """secrets: of an identity, the name or ARN of its secret, whose rotation is set up already."""

    secrets: dict[str, str] = field(default_factory=dict)


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Rotates the secret. The key makes a second request for the same rotation harmless."""
    identity = request.target.identity
    secret = needed(settings.secrets.get(identity), f"secret under settings.secrets for {identity}")
    manager = service(settings, "secretsmanager", talk)
    ask(
        talk,
        f"rotate {secret}, the secret of {identity}: secretsmanager:RotateSecret",
        lambda: manager.rotate_secret(
            SecretId=secret, ClientRequestToken=request.key, RotateImmediately=True
        ),
    )
    return DONE


ACTION = Action(
    name="secretsmanager",
    title="Rotates secrets",
    vendor="AWS Secrets Manager",
    does={"rotate": "Rotates the secret that the settings name for the identity, at once."},
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=("`secretsmanager:RotateSecret` on the secrets under `secrets` only",),
    documentation="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html",
    hosts=lambda settings: (f"https://secretsmanager.{settings.region}.amazonaws.com",),
    authorise=lambda settings, talk: {},
    perform=perform,
)
