"""Names that the code holds only as ids: ATT&CK techniques, and the field guide's cases."""

# Names of the ATT&CK techniques that signals and the simulator's attacks point to; an id without a
# name here is an error.
TECHNIQUES = {
    "T1021": "Remote Services",
    "T1021.004": "Remote Services: SSH",
    "T1036": "Masquerading",
    "T1078": "Valid Accounts",
    "T1078.004": "Valid Accounts: Cloud Accounts",
    "T1087.004": "Account Discovery: Cloud Account",
    "T1090": "Proxy",
    "T1090.002": "Proxy: External Proxy",
    "T1090.003": "Proxy: Multi-hop Proxy",
    "T1098": "Account Manipulation",
    "T1098.001": "Account Manipulation: Additional Cloud Credentials",
    "T1098.005": "Account Manipulation: Device Registration",
    "T1110": "Brute Force",
    "T1110.001": "Brute Force: Password Guessing",
    "T1110.003": "Brute Force: Password Spraying",
    "T1110.004": "Brute Force: Credential Stuffing",
    "T1114.002": "Email Collection: Remote Email Collection",
    "T1195.002": "Supply Chain Compromise: Compromise Software Supply Chain",
    "T1199": "Trusted Relationship",
    "T1213": "Data from Information Repositories",
    "T1213.003": "Data from Information Repositories: Code Repositories",
    "T1496": "Resource Hijacking",
    "T1526": "Cloud Service Discovery",
    "T1528": "Steal Application Access Token",
    "T1530": "Data from Cloud Storage",
    "T1539": "Steal Web Session Cookie",
    "T1548.005": "Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access",
    "T1550.001": "Use Alternate Authentication Material: Application Access Token",
    "T1550.004": "Use Alternate Authentication Material: Web Session Cookie",
    "T1552": "Unsecured Credentials",
    "T1552.001": "Unsecured Credentials: Credentials In Files",
    "T1552.004": "Unsecured Credentials: Private Keys",
    "T1552.005": "Unsecured Credentials: Cloud Instance Metadata API",
    "T1552.007": "Unsecured Credentials: Container API",
    "T1556": "Modify Authentication Process",
    "T1556.006": "Modify Authentication Process: Multi-Factor Authentication",
    "T1557": "Adversary-in-the-Middle",
    "T1566.002": "Phishing: Spearphishing Link",
    "T1566.004": "Phishing: Spearphishing Voice",
    "T1578.002": "Modify Cloud Compute Infrastructure: Create Cloud Instance",
    "T1580": "Cloud Infrastructure Discovery",
    "T1583.003": "Acquire Infrastructure: Virtual Private Server",
    "T1589.001": "Gather Victim Identity Information: Credentials",
    "T1613": "Container and Resource Discovery",
    "T1621": "Multi-Factor Authentication Request Generation",
    "T1648": "Serverless Execution",
}

# The field guide's use cases and scenarios, which the simulator's attacks stand for.
CASES = {
    "U1": "privileged accounts",
    "U2": "service accounts and CI tokens",
    "U3": "customer accounts",
    "U4": "insiders",
    "U5": "vendors and contractors",
    "U6": "compliance evidence",
    "U7": "API keys",
    "U8": "account-recovery abuse",
    "U9": "travel and remote work",
    "U10": "cost and resource abuse after a login",
    "S1": "a kubeconfig used from an unexpected address",
    "S2": "a serverless function invoked with an anomalous identity",
    "S3": "a compromised administrator, reconstructed from many logs",
    "S4": "very many events a day",
    "S5": "a launch-day surge",
    "S6": "a CI token on an external runner",
}


def technique(number: str) -> str:
    """A link to a technique by its id."""
    return f"[{number}](https://attack.mitre.org/techniques/{number.replace('.', '/')}/)"
