"""Whether an operation is one that intruders come for: secrets, rights, shells, copies, traces."""

import re
from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import NOTHING, Feature, Signal, Spoken, spoken

# By what it serves: words, how often an intruder's call is of that kind, ATT&CK techniques. The
# names are those of AWS APIs ("service:Call"), Kubernetes ("verb resource"), GitHub's and GitLab's
# audit logs, Google Cloud ("service:Method", "service:collection.method") and Azure, in any case
# ("Microsoft.Compute/virtualMachines/runCommand/action").
_KINDS = {
    "covers tracks": (
        (
            r"cloudtrail:(StopLogging|Delete|Update|PutEventSelectors)|guardduty:(Delete|Update|Disas)"
            r"|config:(Stop|Delete)|logs:Delete|ec2:DeleteFlowLogs|securityhub:Disable"
            r"|delete events|^audit_log_streaming\.|advanced_security\.disabled"
            r"|secret_scanning.*\.disable|logging:(Delete|UpdateSink|UpdateBucket|(Create|Update)Excl)"
            r"|dns:policies\.(patch|update)|securitycenter:(Update|SetMute)"
            r"|(?i:/diagnosticSettings/delete|insights/(activityLogAlerts|logProfiles)/delete"
            r"|/flowLogs/delete|OperationalInsights/workspaces/delete|/alertsSuppressionRules/write)"
        ),
        0.05,
        ("T1562.008", "T1070"),
    ),
    "grants rights": (
        (
            r"iam:(Create|Attach|Put|Add|Update|Upload|Enable|Deactivate|Pass|Set)"
            r"|organizations:(Leave|Invite)|lambda:AddPermission|kms:(PutKeyPolicy|CreateGrant)"
            r"|(create|update|patch) (cluster)?role(binding)?s|impersonate |serviceaccounts/token"
            r"|certificatesigningrequests|^(org|repo)\.(add_member|update_member|add_collab)"
            r"|(deploy_key|public_key|personal_access_token\.access|oauth_access)\.?create"
            r"|:(\w+\.)*[sS]etI(am|AM)P(olicy|ermissions)|oslogin:ImportSshPublicKey"
            r"|(?i:Authorization/(roleAssignments|roleDefinitions|elevateAccess)\w*/(write|action)"
            r"|/federatedIdentityCredentials/write|KeyVault/vaults/accessPolicies/write)"
        ),
        0.1,
        ("T1098", "T1136.003"),
    ),
    "takes secrets": (
        (
            r"secretsmanager:(Get|List|Batch|Describe)|ssm:(GetParameters|GetParameterHistory|DescribeP)"
            r"|ec2:GetPasswordData|sts:GetFederationToken|(get|list|watch) secrets|/secrets\b"
            r"|codeartifact:GetAuth|secretmanager:(Access|List|Get)Secret|cloudkms:(\w*Decrypt)"
            r"|iamcredentials:(Generate|Sign)|variable_viewed|secrets_manager_read"
            r"|^(Secret|Key|Certificate)(Get|List|Backup)|^KeyDecrypt"
            r"|(?i:KeyVault/vaults/(secrets|keys|certificates)/|/list(Account)?(Keys|Sas|Secrets|\w*"
            r"Credentials?)/action|/config/list/action|/publishxml/action)"
        ),
        0.2,
        ("T1552", "T1555.006"),
    ),
    "runs code": (
        (
            r"ssm:(SendCommand|StartSession)|ec2-instance-connect:|ec2:(RunInstances|ModifyInstanceA"
            r"|RequestSpot)|create (pods/(exec|attach|portforward|proxy)|daemonsets|cronjobs)"
            r"|pods/ephemeralcontainers|nodes/proxy|ecs:(ExecuteCommand|RunTask)|self_hosted_runner"
            r"|compute:(instances\.(insert|setMetadata|setServiceAccount)|projects\.setCommonInstanceM)"
            r"|osconfig:(ExecutePatch|CreateOSPolicy)|run:(RunJob|ReplaceService)"
            r"|cloudfunctions:(Create|Update)Function|cloudbuild:(Create|Run)Build|ci_runner_reg"
            r"|(?i:/virtualMachine(ScaleSet)?s/(runCommands?|extensions|write)"
            r"|automationAccounts/(jobs|runbooks|webhooks)/|containers/exec/action)"
        ),
        0.12,
        ("T1651", "T1609", "T1610"),
    ),
    "copies out": (
        (
            r"Modify(DB(Cluster)?)?(Snapshot|Image)Attribute|:ExportTable|:StartExport|:CreateImage"
            r"|s3:(PutBucketPolicy|PutBucketAcl|PutBucketReplication|DeletePublicAccess)"
            r"|:CopySnapshot|:ShareSnapshot|download_zip|repo\.(access|transfer|download)|\bmigration"
            r"|compute:(disks\.createSnapshot|images\.(insert|export))|cloudsql:instances\.export"
            r"|storagetransfer:(Create|Run)TransferJob|export_file_download|cloudasset:Export"
            r"|(?i:/(disks|snapshots|restorePoints)/beginGetAccess/action|/databases/export/action)"
        ),
        0.1,
        ("T1537", "T1530"),
    ),
    "looks around": (
        (
            r"sts:GetCallerIdentity|iam:(List|Get)|self(subject|node)\w*reviews|:ListBuckets"
            r"|ses:Get|organizations:(List|Describe)|ec2:DescribeInstanceType|servicequotas:"
            r"|(list|get) (nodes|namespaces|(cluster)?role(binding)?s|serviceaccounts)"
            r"|s3:GetBucket(P|A)|support:|ce:Get|account:|cloudasset:(Search|Analyze)|:\w*[gG]etIamPol"
            r"|cloudresourcemanager:(Search|List|TestIam)|serviceusage:ListServ"
            r"|(?i:Authorization/\w+/read|Microsoft\.ResourceGraph/)"
        ),
        0.15,
        ("T1580", "T1613", "T1087.004"),
    ),
}
_FOUND = {kind: re.compile(words) for kind, (words, _, _) in _KINDS.items()}
ORDINARY = "ordinary"


@lru_cache(4096)
def kind_of(operation: str) -> str:
    """What an operation serves: one of six kinds that intruders come for, or "ordinary"."""
    return next((kind for kind, words in _FOUND.items() if words.search(operation)), ORDINARY)


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """The kind of operation, given the log."""
    if login.operation is None or login.around is not None:
        return NOTHING
    return _features(login.log, login.operation)


@lru_cache(4096)
def _features(log: str, operation: str) -> Spoken:
    kind = kind_of(operation)
    share, attack = (_KINDS[kind][1:]) if kind in _KINDS else (0.28, ("T1078.004",))
    return spoken(
        Feature(
            signal="sensitivity",
            factor="sensitivity",
            key=f"{log}/{kind}",
            label=f"operation {operation} {kind}",
            given=("log", log),
            categories=len(_KINDS) + 1,
            attacker=share,
            attack=attack,
            alarms_only=True,
            weigh=kind != ORDINARY,  # it is the measure of the others
        )
    )


SIGNAL = Signal(
    name="sensitivity",
    group="reach",
    title="Whether it is what intruders come for",
    tells={
        "sensitivity": "How usual operations of this kind are for the identity: those that take"
        " secrets, grant rights, run code, copy data out, look around, cover tracks."
    },
    attack=("T1552", "T1098", "T1651", "T1537", "T1580", "T1562.008"),
    features=features,
)
