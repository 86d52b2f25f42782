"""bounds.md: every limit on what is kept."""

from quivive.app import audit as app_audit
from quivive.app import ingest, kept, live, notifying, repeats, running, sigma
from quivive.app.jobs import judges
from quivive.app.registry import signals
from quivive.baseline import clocks, directory, monitor, novelty, profile, tables, windows
from quivive.engine import (
    gate,
    learn,
    observe,
    probation,
    publish,
    road,
    seen,
    shared,
    state,
    verdicts,
)
from quivive.enrich import client, enricher, lists
from quivive.enrich.mmdb import VAGUE_KM
from quivive.enrich.places import STALE_DAYS
from quivive.fetch import overlapping, pulling
from quivive.incidents import book
from quivive.inputs import framing, merge, splitter, unpacking
from quivive.learn import drift, promotion, reweigh, trees
from quivive.model import audit, incident
from quivive.notify import buttons, channels
from quivive.notify import text as notify_text
from quivive.policy import budget, spending
from quivive.scoring import calibrate, model
from quivive.scoring import trees as scoring_trees
from quivive.sigma import matching, regex, selection
from quivive.sources import fields
from quivive.store import analytics
from scripts.pages.markdown import page, table


def _days(ms: float) -> str:
    return f"{ms / tables.DAY_MS:g} days"


def bounds_page() -> str:
    """What is kept, and how much of it at most, from the constants themselves."""
    empty = profile.Profile()
    told = sum(len(f.tells) for f in signals() if f.features is not None)
    address = profile.AddressState()
    organisation = profile.Organisation()
    identity = [
        ('categories a table (the rest joins "other")', profile.OWN_CATEGORIES),
        ("tables: a feature and its familiarity, at most", 2 * told),
        ("half-life of its counts", _days(profile.OWN_HALF_LIFE)),
        ("places, for travel", profile.PLACES_KEPT),
        ("sessions", profile.SESSIONS_KEPT),
        ("networks and operators of its sign-ins", profile.SIGNED_IN_KEPT),
        ("constellations remembered for learning once an hour", profile.CONSTELLATIONS_KEPT),
        ("ordinary logins of the hour, for the short road", road.PASSED_KEPT),
        ("hours in the windows of failures, denials and refusals", windows.HOURS),
        (
            "minutes in which a prompt for another factor may be answered",
            profile.ANSWERED_WITHIN // 60_000,
        ),
        ("networks with failures in a window", empty.failing_networks.limit),
        ("countries in a window", empty.countries.limit),
        ("networks in a window", empty.networks.limit),
        ("kinds of logins held back from learning", gate.HELD_KEPT),
        ("odd logins that wait to be learned (the oldest is early)", probation.WAITING_KEPT),
        ("hours they wait", probation.PROBATION // windows.HOUR_MS),
        ("things used for the first time, in a window", empty.explored.limit),
        ("a newcomer has fewer learned logins than this", f"{profile.ENOUGH_LOGINS:g}"),
        ("or has been known for less than", _days(profile.SETTLED_AFTER)),
        ("kinds of logins that verdicts speak of", verdicts.JUDGED_KEPT),
        ("for how long a kind in order is learned unasked", _days(gate.VOUCHED_FOR)),
        ("findings remembered, to rank repeats lower", learn.TOLD_KEPT),
        ("for how long a repeat is one", _days(learn.TOLD_HORIZON)),
    ]
    of_address = [
        ("identities at home there", address.GOOD_KEPT),
        ("identities failing in a window", address.failing.limit),
        ("identities with findings", publish.FINDINGS_KEPT),
        ("identities whose login from there was an attacker's", verdicts.HOSTILE_KEPT),
        ("for how long that holds others' logins from there", _days(gate.TAINTED_FOR)),
        ("forgotten after silence of", _days(state.ADDRESS_IDLE)),
        ("the same, where nobody ever got in", _days(state.STRAY_IDLE)),
    ]
    everyone = [
        ("categories a table", profile.EVERYONE_CATEGORIES),
        ("categories a table of a peer group", profile.GROUP_CATEGORIES),
        ("half-life of the counts of both", _days(profile.SHARED_HALF_LIFE)),
        ("places that vendors stated for addresses: forgotten after", _days(state.ADDRESS_IDLE)),
        ("minutes after which others know what a login taught", shared.LAG_MS // 60_000),
        ("or after so many later events, if that is sooner", shared.PENDING_KEPT),
        ("identities in the window of stray failures", organisation.stray_identities.limit),
        ("ids, and as many names, of the directory", directory.IDS_KEPT),
        ("characters of an identity; a longer name is cut, with a digest", directory.MOST_NAME),
        ("event ids remembered against duplicates", seen.SEEN_KEPT),
        ("half-life of the scores behind the calibration", _days(calibrate.HALF_LIFE)),
        ("width of a bin of scores", f"{calibrate.BIN} nats"),
        ("distributions of scores of a product: people, machines, newcomers among each", 4),
        ("the same of all products together", 4),
        ("logins of other products that a small one leans on", round(calibrate.POOL_LOGINS)),
    ]
    watched = [
        ("logs times kinds of identity", monitor.SERIES_KEPT),
        ("days of each", monitor.DAYS_KEPT),
        ("features counted a day", len(drift.TITLES)),
        ('categories of a feature a day, and "other"', monitor.BUCKETS_KEPT),
        ("steps of half a nat in the scores of a day", 2 * monitor.SCORE_FURTHEST + 1),
        ("identities counted in four hours, in each log", monitor.SHIFT_KEPT),
        ("categories that may be new to many", novelty.CANDIDATES_KEPT),
        ("identities of each, and of each event of the organisation", novelty.MEMBERS_KEPT),
        ("events of the organisation", novelty.EVENTS_KEPT),
        ("networks and operators with failures of others' accounts", novelty.FAILING_KEPT),
        ("identities told of lately, for the limit of findings", budget.ALERTED_KEPT),
        ("rules with a budget that are remembered", spending.RULES_KEPT),
        ("times remembered of each, at most what its budget allows", spending.MOST_SPENT),
    ]
    alerts = [
        ("incidents in memory (the store keeps all)", book.MOST_INCIDENTS),
        ("identities of incidents in memory", book.MOST_IDENTITIES),
        ("identities, services, links and kinds named an incident", incident.MOST_MEMBERS),
        ("event ids named an incident (the store keeps all)", incident.MOST_FINDINGS),
        ("notes of an incident", incident.MOST_NOTES),
        ("days that an unanswered page stays open", book.Rules().at_most // book.DAY),
        ("attempts to deliver a notification", notifying.ATTEMPTS),
        ("alerts of a digest that are told by name", channels.DIGEST_SHOWN),
        ("text of a field in a message, in characters", notify_text.MOST),
        ("days that a verdict link holds", buttons.VALID_FOR // book.DAY),
        ("details of an audit record, in bytes", audit.MOST_DETAILS),
        ("records between two signed checkpoints", app_audit.EVERY_RECORDS),
    ]
    reading = [
        ("one record", f"{framing.RECORD_LIMIT >> 20} MiB"),
        ("text of one field, in characters", fields.MAX_TEXT),
        ("user agent, in characters", client.MAX_AGENT),
        (("gzip, bzip2, xz, zstd: expansion allowed after the first "
         f"{unpacking.EXPANSION_FREE >> 20} MiB, times"), unpacking.EXPANSION_LIMIT),
        ("memory that unpacking may take", f"{unpacking.MOST_WINDOW >> 20} MiB"),
        ("depth of nested JSON", splitter.DEEPEST),
        ("events held while logs are merged by time", merge.RUN_EVENTS),
        ("rejects kept with their text a run (all are counted)", ingest.REJECTS_KEPT),
        ("lookups of addresses cached", enricher.CACHE_SIZE),
        ("user agents cached", client.CACHE_SIZE),
        ("records of a log remembered, to know those that say the same", repeats.KEPT),
        ("one page of a log that is fetched", f"{pulling.MOST_BODY >> 20} MiB"),
        ("records remembered of a log that is fetched by time, to give each once",
         overlapping.MOST),
        ("observations remembered, to know logins that are alike", observe.SHAPES_KEPT),
        ("lessons of repeats remembered", kept.REPEATED),
        ("events sent ahead to the processes of --jobs", judges.AHEAD),
        ("warnings kept while reading address lists", lists.MAX_WARNINGS),
        ("Sigma rules in use", sigma.MOST_RULES),
        ("files of a folder of Sigma rules", sigma.MOST_FILES),
        ("values of one field of a Sigma rule", selection.MOST_VALUES),
        ("a regular expression of a Sigma rule, in characters", regex.MOST_PATTERN),
        ("answers of regular expressions remembered", regex.REMEMBERED),
        ("Sigma rules that are carried with a login", matching.MOST_MATCHES),
        ("earliest and latest time believed", "2000-01-01 to 2100-01-01"),
        ("a place database is old after, in days", STALE_DAYS),
        ("a place this vague, in km, is no place", VAGUE_KM),
    ]  # fmt: skip
    learned = [
        ("weight of a signal", f"{model.LIGHTEST:g} to {model.HEAVIEST:g}"),
        ("what one source of verdicts moves a weight by, as a share", reweigh.STEP),
        ("confirmed incidents that weights are learned from, at least", reweigh.FEWEST_ATTACKS),
        ("findings in order that they are learned from, at least", reweigh.FEWEST_BENIGN),
        ("of a budget, what may be promoted", f"{100 * promotion.TOLERANCE:.0f} %"),
        ("days in shadow before promotion, at least", f"{promotion.SHADOW_DAYS:g}"),
        ("logins in shadow before promotion, at least", promotion.SHADOW_LOGINS),
        ("classes of logins with a calibration", model.MOST_CLASSES),
        ("boosted trees", scoring_trees.MOST_TREES),
        ("leaves of a tree", scoring_trees.MOST_LEAVES),
        ("points of risk that trees add to a finding", f"{scoring_trees.LIFT:g}"),
        ("confirmed incidents that trees are learned from, at least", trees.INCIDENTS),
    ]
    asked = [
        ("memory", f"{analytics.MEMORY_MB} MiB"),
        ("threads", analytics.THREADS),
        ("seconds", f"{analytics.SECONDS:g}"),
        ("characters of SQL", analytics.MOST_SQL),
    ]
    assert (fields.EARLIEST_MS, fields.LATEST_MS) == (946_684_800_000, 4_102_444_800_000)

    in_memory = [
        ("identities", state.PROFILES_IN_MEMORY),
        ("addresses, and as many networks", state.ADDRESSES_IN_MEMORY),
        ("places that vendors stated for addresses", state.PLACES_IN_MEMORY),
        ("logins judged again after a crash: of files", running.BATCH_LOGINS),
        ("the same of a server", live.CHECKPOINT_LOGINS),
        ("sources whose clocks are measured", clocks.SOURCES_KEPT),
    ]

    def rows(found: list[tuple[str, object]]) -> str:
        return table(("what", "at most"), [(what, _number(value)) for what, value in found])

    return page(
        "Bounds",
        "What Quivive keeps in its state and holds while it reads, as the code has it.",
        f"## Of one identity\n\n{rows(identity)}",
        f"## Of one address, and of one network (a /24 or /48)\n\n{rows(of_address)}",
        f"## Of the organisation\n\n{rows(everyone)}\n\n"
        "The store holds every identity that ever got in. A name that never did is forgotten"
        f" {_days(state.STRAY_IDLE)} after it was last tried, so that guessed names leave nothing.",
        "## In memory\n\nThe others are read from the store when they are met, without `--state`"
        " from a temporary file. To this comes what the logins of one batch touch.\n\n"
        f"{rows(in_memory)}",
        f"## Of the logs and the findings\n\n{rows(watched)}",
        f"## Of incidents, notifications and the audit trail\n\n{rows(alerts)}",
        f"## Of a question to the telemetry\n\n{rows(asked)}",
        f"## Of a learned model\n\n{rows(learned)}",
        f"## While reading\n\n{rows(reading)}",
    )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
