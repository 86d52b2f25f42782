"""What a decision may ask for, and how far each goes."""

ALLOW, NOTIFY, TICKET, PAGE = "allow", "notify", "ticket", "page"
STEP_UP, BLOCK, REVOKE, ROTATE = "step_up", "block", "revoke", "rotate"
DISABLE, ISOLATE = "disable", "isolate"
# From the mildest to the farthest-reaching: contexts soften and raise along this line.
ACTIONS = {
    ALLOW: "Nothing.",
    NOTIFY: "Tell the channel or the owner.",
    TICKET: "Open a ticket.",
    PAGE: "Call a person now.",
    STEP_UP: "Ask the person for another factor; a machine's owner is notified instead.",
    BLOCK: "Refuse this login.",
    REVOKE: "End the identity's sessions and tokens.",
    ROTATE: "Replace the credential.",
    DISABLE: "Suspend the identity.",
    ISOLATE: "Cut the device or the workload off.",
}
RANK = {action: rank for rank, action in enumerate(ACTIONS)}
TELLING = (NOTIFY, TICKET, PAGE)
HARD = (BLOCK, REVOKE, ROTATE, DISABLE, ISOLATE)
MODES = {
    "shadow": "Says what it would do; nothing is done.",
    "canary": "Acts on a share of the identities, always the same ones; is in shadow for the rest.",
    "enforce": "Acts.",
}


def milder(one: str, other: str) -> str:
    """The milder of two actions."""
    return one if RANK[one] <= RANK[other] else other


def harder(one: str, other: str) -> str:
    """The farther-reaching of two actions."""
    return one if RANK[one] >= RANK[other] else other
