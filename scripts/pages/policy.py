"""policy.md: what a policy may say."""

from quivive.app import contexts as app_contexts
from quivive.app.policy_file import shipped_text
from quivive.policy import actions as policy_actions
from quivive.policy import check as policy_check
from quivive.policy import contexts as policy_contexts
from quivive.policy import environment as policy_facts
from quivive.policy import file as policy_file
from quivive.policy import syntax
from scripts.pages.markdown import code, page, table


def policy_page() -> str:
    """What a policy may say: rules, fields, actions, modes, contexts, and what the check finds."""
    described = {
        "id": "Its name, in every decision it makes.",
        "description": "What it is for.",
        "owner": "Who answers for it; the policy's owner where there is none.",
        "when": "The condition, in CEL.",
        "action": "See below.",
        "mode": "See below.",
        "canary": "The share of the identities that a canary acts on: `5%`.",
        "budget": "How often it may act, and what then: `5/hour, then page`.",
        "expires": "The first day, or moment, at which it no longer holds.",
        "flag": "The switch it hangs on: `quivive policy flag NAME off`.",
        "runbook": "What to read; goes with every decision.",
        "attack": "ATT&CK technique ids.",
        "also": "`true`: it tells beside the rule that decides (notify, ticket, page).",
        "priority": "Higher goes first; of equals the order in the file.",
    }
    assert set(described) == set(policy_file.RULE_KEYS)
    facts = policy_facts.FACTS
    own = [
        (
            f"`{path}`",
            fact.type,
            fact.meaning + (f" One of {code(fact.values)}." if fact.values else ""),
        )
        for path, fact in facts.items()
        if not path.startswith("event.")
    ]
    ocsf = [(f"`{path}`", fact.type) for path, fact in facts.items() if path.startswith("event.")]
    done = [(f"`{action}`", text) for action, text in policy_actions.ACTIONS.items()]
    modes = [(f"`{mode}`", text) for mode, text in policy_actions.MODES.items()]
    return page(
        "Policy",
        "A policy is a YAML file. Its rules are asked in order; the first that acts decides."
        " [Writing one](../howto/security-engineer.md#10-decide-what-is-done) goes step by step.",
        "## The one that Quivive comes with\n\n`quivive policy show` prints it.\n\n"
        f"```yaml\n{shipped_text()}```",
        "## Keys of a policy\n\n"
        f"{code(policy_file.KEYS)}. `defaults` may give {code(policy_file.DEFAULTS)} for all"
        " rules. `business_hours` has `from`, `to`, `days` and `utc_offset`. `privileged` lists"
        " identities and `group:NAME`, with `*` for any text.",
        "## Keys of a rule\n\n"
        + table(("key", "meaning"), [(f"`{k}`", text) for k, text in described.items()]),
        "## Actions\n\nFrom the mildest to the farthest-reaching:\n\n"
        + table(("action", "what is done"), done),
        "## Modes\n\n"
        + table(("mode", "what it means"), modes)
        + "\n\nA rule in shadow never stops one that acts: what it would have done is told beside"
        " the decision.",
        "## Conditions\n\n[CEL](https://github.com/google/cel-spec) with `==` `!=` `<` `<=` `>`"
        f" `>=` `in`, `&&` `||` `!` `? :`, `has(field)`, `size()`, {code(syntax.METHODS)} on texts,"
        " and `list.exists(g, …)`, `list.all(g, …)` on fields that are lists. Arithmetic, indexes,"
        " maps and macros that build lists are refused, and so is more than"
        f" {syntax.MOST_TEXT:,} characters, {syntax.MOST_TOKENS} words or {syntax.MOST_NESTED}"
        " levels.\n\nA field that the record does not have is absent: a comparison with it, and its"
        " opposite, come to no answer, which `&&` and `||` put aside where the other side decides."
        " A condition that comes to no answer does not hold. Ask with `has(field)`.",
        "## Fields\n\n" + table(("field", "type", "meaning"), own),
        "## Fields of the event\n\nOCSF's names, as in [Output](output.md#the-event).\n\n"
        + table(("field", "type"), ocsf),
        "## Contexts\n\nEach has a reason, an owner and an end: "
        f"{app_contexts.DEFAULT_DAYS} days where none is given (grace:"
        f" {app_contexts.GRACE_DAYS}), {app_contexts.MOST_DAYS} at most. It applies to a login that"
        " meets all it names, by the login's own time. None changes a risk.\n\n"
        + table(
            ("kind", "must name", "what it does"),
            [
                (
                    f"`{kind}`",
                    " and ".join(" or ".join(names) for names in app_contexts.NEEDS[kind]),
                    effect,
                )
                for kind, effect in policy_contexts.EFFECTS.items()
            ],
        ),
        "## What the check finds\n\n"
        + table(("code", "meaning"), [(f"`{c}`", t) for c, t in policy_check.CODES.items()])
        + "\n\nOther codes name the key that is wrong.",
    )
