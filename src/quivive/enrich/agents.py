"""Tables for reading user agents: tools that ua-parser does not know, and names made common."""

from typing import NamedTuple


class Tool(NamedTuple):
    """A client that is no browser: its name, and whether it is driven by a program."""

    name: str
    automated: bool = True


# The first word of a user agent up to "/" or the first space, in lower case.
TOOLS: dict[str, Tool] = {
    word: Tool(name)
    for name, words in {
        "aws-cli": "aws-cli",
        "Boto3": "boto3 botocore boto",
        "aws-sdk-go": "aws-sdk-go aws-sdk-go-v2",
        "aws-sdk-java": "aws-sdk-java aws-internal",
        "aws-sdk-js": "aws-sdk-js aws-sdk-nodejs",
        "aws-sdk-dotnet": "aws-sdk-dotnet aws-sdk-dotnet-coreclr aws-sdk-net",
        "aws-sdk": "aws-sdk-ruby aws-sdk-ruby3 aws-sdk-php aws-sdk-cpp aws-sdk-rust aws-sdk-swift",
        "AWS Tools for PowerShell": "awspowershell awspowershell.common aws-tools-powershell",
        "Terraform": "terraform hashicorp apn tofu opentofu",
        "Pulumi": "pulumi",
        "Ansible": "ansible ansible-httpget",
        "kubectl": "kubectl kubectl.exe oc",
        "helm": "helm",
        "kubelet": "kubelet",
        "Kubernetes": "kube-apiserver kube-controller-manager kube-scheduler kube-proxy "
        "cluster-autoscaler cloud-controller-manager coredns kubeadm metrics-server",
        "k9s": "k9s",
        "Argo CD": "argocd argocd-application-controller argocd-server argo",
        "Flux": "flux flux-controller helm-controller kustomize-controller source-controller",
        "curl": "curl libcurl",
        "Wget": "wget",
        "python-requests": "python-requests",
        "Python": "python python-urllib python-httpx aiohttp python3 httpx",
        "Go-http-client": "go-http-client",
        "fasthttp": "fasthttp",
        "Java": "java apache-httpclient jakarta",
        "Node.js": "node node-fetch axios got undici",
        "okhttp": "okhttp",
        "Ruby": "ruby faraday rest-client",
        "Postman": "postmanruntime",
        "Insomnia": "insomnia",
        "Azure SDK": "azsdk azure-sdk-for-go azure-sdk-for-net azure-sdk-for-python",
        "Azure CLI": "azurecli az",
        "Azure PowerShell": "azurepowershell azpowershell",
        "PowerShell": "windowspowershell powershell",
        "gcloud": "gcloud google-cloud-sdk gsutil",
        "Google API client": "google-api-go-client google-api-python-client google-api-java-client "
        "gcloud-golang gcloud-python google-cloud-go",
        "GitHub Actions": "github-actions githubactionsrunner actions",
        "git": "git",
        "GitHub CLI": "gh github",
        "vault": "vault consul-template",
        "S3 Browser": "s3browser",
        "Cyberduck": "cyberduck",
        "rclone": "rclone",
        "BAV2ROPC": "bav2ropc",
        "CBAInPROD": "cbainprod cbainprod.",
        "SMTP/IMAP client": "imap pop smtp",
        "Pacu": "pacu",
        "ScoutSuite": "scoutsuite scout",
        "Prowler": "prowler",
        "CloudFox": "cloudfox",
        "enumerate-iam": "enumerate-iam",
        "TruffleHog": "trufflehog",
        "ROADtools": "roadtools roadrecon",
        "AADInternals": "aadinternals",
        "GraphRunner": "graphrunner",
        "AzureHound": "azurehound bloodhound sharphound",
        "MSOLSpray": "msolspray",
        "nmap": "nmap",
        "sqlmap": "sqlmap",
        "Hydra": "hydra",
        "masscan": "masscan zgrab",
        "Nuclei": "nuclei",
    }.items()
    for word in words.split()
}
TOOLS.update(
    {
        word: Tool(name, automated=False)
        for name, words in {
            "Outlook": "outlook-ios outlook-android macoutlook outlook",
            "Microsoft Teams": "teams teamsmobile-android teamsmobile-ios",
            "Microsoft Office": "microsoft office msoffice",
            "OneDrive": "onedrivesync skydrivesync onedrive",
            "Windows sign-in": "windows-azuread-authentication-provider dsreg",
            "Rich Client": "msal msal.desktop msal.net adal",
            "Apple Mail": "apple-iphone apple-ipad apple-mac accountsd dataaccessd exchangesync",
            "Okta Verify": "oktaverify okta",
            "Slack": "slack",
            "Android app": "dalvik",
            "Zoom": "zoom",
            "Citrix": "citrixreceiver",
            "GlobalProtect": "globalprotect pan",
            "AnyConnect": "anyconnect",
        }.items()
        for word in words.split()
    }
)

# Looked for anywhere, in this order, in lower case: what the first word does not tell.
MARKS: tuple[tuple[str, Tool], ...] = (
    ("pacu", Tool("Pacu")),
    ("scoutsuite", Tool("ScoutSuite")),
    ("scout suite", Tool("ScoutSuite")),
    ("nmap scripting engine", Tool("nmap")),
    ("trufflehog", Tool("TruffleHog")),
    ("aadinternals", Tool("AADInternals")),
    ("sqlmap", Tool("sqlmap")),
    ("nuclei", Tool("Nuclei")),
    ("for-github-actions", Tool("GitHub Actions")),
    ("githubactions", Tool("GitHub Actions")),
    ("terraform", Tool("Terraform")),
    ("gcloud/", Tool("gcloud")),
    ("s3 browser", Tool("S3 Browser")),
    ("s3console", Tool("AWS Console")),
    ("powershell/", Tool("PowerShell")),
    ("windowspowershell/", Tool("PowerShell")),
    ("teams/", Tool("Microsoft Teams", automated=False)),
    ("microsoft outlook", Tool("Outlook", automated=False)),
    ("microsoft teams", Tool("Microsoft Teams", automated=False)),
    ("slack_ssb", Tool("Slack", automated=False)),
    ("slack/", Tool("Slack", automated=False)),
)

# Client families and systems made for attacking or auditing, for signals to look up.
_OFFENSIVE = (
    "Pacu, ScoutSuite, Prowler, CloudFox, enumerate-iam, TruffleHog, ROADtools, AADInternals, "
    "GraphRunner, AzureHound, MSOLSpray, nmap, sqlmap, Hydra, masscan, Nuclei, Kali Linux, "
    "Parrot OS, Pentoo, BlackArch"
)
OFFENSIVE = frozenset(_OFFENSIVE.split(", "))

# Systems named outright, in lower case and in order; a distribution made for attacking first.
SYSTEMS: tuple[tuple[str, str], ...] = (
    ("kali", "Kali Linux"),
    ("parrot", "Parrot OS"),
    ("pentoo", "Pentoo"),
    ("blackarch", "BlackArch"),
    ("windows phone", "Windows Phone"),
    ("windows", "Windows"),
    ("win32", "Windows"),
    ("win64", "Windows"),
    ("ipados", "iOS"),
    ("iphone", "iOS"),
    ("ios", "iOS"),
    ("darwin", "macOS"),
    ("macos", "macOS"),
    ("mac os", "macOS"),
    ("os x", "macOS"),
    ("android", "Android"),
    ("chrome os", "ChromeOS"),
    ("chromeos", "ChromeOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
    ("ubuntu", "Linux"),
    ("debian", "Linux"),
    ("fedora", "Linux"),
    ("red hat", "Linux"),
    ("rhel", "Linux"),
    ("centos", "Linux"),
    ("suse", "Linux"),
    ("mint", "Linux"),
    ("gentoo", "Linux"),
    ("aws_lambda", "Linux"),
    ("freebsd", "BSD"),
    ("openbsd", "BSD"),
    ("netbsd", "BSD"),
)

# How Entra, Okta and ua-parser name a browser, in lower case, and how we do.
BROWSERS: dict[str, str] = {
    "ie": "Internet Explorer",
    "ie mobile": "Internet Explorer",
    "internet explorer": "Internet Explorer",
    "microsoft edge": "Edge",
    "edge chromium": "Edge",
    "edge mobile": "Edge Mobile",
    "google chrome": "Chrome",
    "chrome webview": "Chrome Mobile WebView",
    "chrome ios": "Chrome Mobile iOS",
    "mozilla firefox": "Firefox",
    "safari mobile": "Mobile Safari",
    "safari ios": "Mobile Safari",
    "mobile safari ui/wkwebview": "Mobile Safari WebView",
    "android webkit": "Android Browser",
    "android": "Android Browser",
    "headlesschrome": "Headless Chrome",
    "chromium": "Chrome",
    "python requests": "python-requests",
    "postmanruntime": "Postman",
    "windowspowershell": "PowerShell",
}

# Families a person sits in front of; anything else that ua-parser names is a tool or an app.
_BROWSERS = (
    "Internet Explorer, Edge, Edge Mobile, Chrome, Chrome Mobile, Chrome Mobile iOS, "
    "Chrome Mobile WebView, Firefox, Firefox Mobile, Firefox iOS, Safari, Mobile Safari, "
    "Mobile Safari WebView, Opera, Opera Mobile, Opera Mini, Opera GX, Brave, Vivaldi, "
    "Yandex Browser, Samsung Internet, Android Browser, Headless Chrome, UC Browser, "
    "DuckDuckGo Mobile, DuckDuckGo, MIUI Browser, HuaweiBrowser, Amazon Silk, Tor Browser, "
    "Electron, Whale, QQ Browser, Sogou Explorer, Pale Moon, SeaMonkey, Konqueror, Epiphany, "
    "Island, Arc, Netscape, Mozilla"
)
KNOWN_BROWSERS = frozenset(_BROWSERS.split(", "))

MOBILE_SYSTEMS = frozenset({"iOS", "Android", "Windows Phone"})
DESKTOP_SYSTEMS = frozenset({"Windows", "macOS", "Linux", "ChromeOS", "BSD", "Kali Linux"})
