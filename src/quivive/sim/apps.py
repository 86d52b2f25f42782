"""The applications of the organisation, and who uses which."""

from quivive.sim.action import App

GRAPH = "00000003-0000-0000-c000-000000000000"
_EXCHANGE = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
_SHAREPOINT = ("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000")
_GRAPH = ("Microsoft Graph", GRAPH)
_ARM = ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013")

_MICROSOFT = (
    App("OfficeHome", "4765445b-32c6-49b0-83e6-1d93765276ca", *_GRAPH),
    App("One Outlook Web", "9199bf20-a13f-4107-85dc-02114787ef48", *_EXCHANGE),
    App("Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c", *_EXCHANGE),
    App("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264", *_GRAPH),
    App("Outlook Mobile", "27922004-5251-4030-b22d-91ecd9a37ea4", *_EXCHANGE),
    App("Office 365 Exchange Online", _EXCHANGE[1], *_EXCHANGE),
    App("SharePoint Online Web Client Extensibility", "08e18876-6177-487e-b8b5-cf950c1e598c",
        *_SHAREPOINT),
    App("OneDrive SyncEngine", "ab9b8c07-8f02-4f72-87fa-80105867a763", *_SHAREPOINT),
    App("Microsoft Edge", "ecd6b820-32c2-49b6-98a6-444530e5a77a", *_GRAPH),
    App("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", *_ARM),
    App("Microsoft Azure CLI", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", *_ARM),
    App("Microsoft Graph Command Line Tools", "14d82eec-204b-4c2f-b7e8-296a70dab67e", *_GRAPH),
    App("My Signins", "19db86c3-b2b9-44cc-b339-36da233a3be2", *_GRAPH),
    App("Microsoft App Access Panel", "0000000c-0000-0000-c000-000000000000", *_GRAPH),
    App("Power BI Service", "00000009-0000-0000-c000-000000000000", *_GRAPH),
)  # fmt: skip
_SAAS = {
    "Salesforce": "7a1f0c52-6f0b-4a85-9d3e-5d1a4be01c11",
    "Workday": "2f7d6f1b-3a67-47f9-a20c-8f3d92b6e4d2",
    "Atlassian Cloud": "b51c2a70-8cb0-4f5c-96cf-1f70a4f3d933",
    "GitHub Enterprise Cloud": "c9a5e1d4-0f4e-4c7d-8f57-64f2f0cf1a04",
    "AWS IAM Identity Center": "e0d4b1a8-9b5a-4d0e-8a3b-0c4c1d2fb975",
    "Slack": "41b7c3f6-2e94-4b7f-8f3c-7b0a1cb4e6a6",
    "ServiceNow": "5cd2e9b0-71a3-4e0d-93c5-d2a1f6c80b27",
    "Zoom": "96e3a4c1-5f02-4a7c-b6d1-3e4f50d9c8b8",
    "SAP Concur": "d7b6f0e2-14c8-4c93-a0e7-95b1f8e2d3a9",
    "Snowflake": "0a8c5d7e-b2f1-4d36-8e94-c7f3a6b1e40a",
    "Figma": "63f9b2d8-e7a5-41c0-9b3f-8d0e2c5a7f1b",
    "NetSuite": "8e2d7c9a-4b61-4f58-a7d0-1c3b9e6f5a2c",
    "DocuSign": "f4c1b8e3-6a92-4d7b-85e0-2f9d7a3c6b1d",
    "Payroll Portal": "1b9e6d3f-c7a4-42e8-90b5-e8f2d1c4a73e",
    "Travel Desk": "2c6a9f4e-8d13-4b75-a9e2-0f7c5b3d8a16",
    "Partner Portal": "a3d8f5c2-9e17-4b60-8c4d-6b7e0f1a2d5f",
}

APPS = {app.name: app for app in _MICROSOFT} | {
    name: App(name, uid, name, uid) for name, uid in _SAAS.items()
}
"""Every application by name."""

_EVERYONE = {
    "OfficeHome": 3.0,
    "One Outlook Web": 2.5,
    "Microsoft Office": 2.0,
    "Microsoft Teams": 2.0,
    "SharePoint Online Web Client Extensibility": 1.2,
    "Workday": 0.3,
    "SAP Concur": 0.15,
    "Zoom": 0.5,
    "Microsoft App Access Panel": 0.2,
    "My Signins": 0.03,
    "ServiceNow": 0.1,
}
_BY_DEPARTMENT = {
    "Engineering": {"GitHub Enterprise Cloud": 2.5, "Atlassian Cloud": 2.5, "Slack": 1.0,
                    "AWS IAM Identity Center": 1.0},
    "Platform": {"GitHub Enterprise Cloud": 2.0, "Atlassian Cloud": 1.5, "Azure Portal": 1.5,
                 "AWS IAM Identity Center": 1.5, "Microsoft Azure CLI": 0.4, "Slack": 1.0},
    "IT": {"Azure Portal": 2.5, "ServiceNow": 2.5, "Microsoft Graph Command Line Tools": 0.3,
           "Microsoft Azure CLI": 0.2},
    "Sales": {"Salesforce": 3.5, "DocuSign": 0.8, "Slack": 0.5},
    "Marketing": {"Salesforce": 0.8, "Figma": 1.5, "Slack": 0.8, "Power BI Service": 0.4},
    "Finance": {"NetSuite": 3.0, "Power BI Service": 1.0, "SAP Concur": 0.8, "Payroll Portal": 0.2},
    "People": {"Workday": 3.0, "Payroll Portal": 0.8, "DocuSign": 0.5},
    "Data": {"Snowflake": 2.5, "Power BI Service": 1.5, "GitHub Enterprise Cloud": 1.0},
    "Support": {"Salesforce": 2.0, "Atlassian Cloud": 1.5, "Slack": 1.0},
    "Legal": {"DocuSign": 1.5},
    "Operations": {"ServiceNow": 0.8, "NetSuite": 0.4},
    "Guest": {},
}  # fmt: skip

DEPARTMENTS = {
    "Engineering": 17.0, "Platform": 5.0, "IT": 4.0, "Sales": 17.0, "Marketing": 7.0,
    "Finance": 7.0, "People": 5.0, "Data": 5.0, "Support": 13.0, "Legal": 3.0, "Operations": 17.0,
}  # fmt: skip
"""Departments and their share of the staff."""

NEW = "Travel Desk"
"""The application that comes while everybody watches."""

SAAS = frozenset(_SAAS)
"""Applications of other vendors, behind single sign-on."""

BACKGROUND = ("Outlook Mobile", "Microsoft Teams", "OneDrive SyncEngine", "Microsoft Office",
              "Office 365 Exchange Online", "Microsoft Edge")  # fmt: skip
"""Applications that renew their tokens without anybody at the keyboard."""


def usual(department: str) -> dict[str, float]:
    """The applications of a department with their weights."""
    if department == "Guest":
        return {"Microsoft Teams": 3.0, "SharePoint Online Web Client Extensibility": 3.0,
                "Microsoft App Access Panel": 0.5, "Partner Portal": 1.5}  # fmt: skip
    return {**_EVERYONE, **_BY_DEPARTMENT[department]}
