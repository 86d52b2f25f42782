"""How verdicts, questions and the quality of findings look in a terminal."""

from collections.abc import Iterator

import msgspec

from quivive.app.asking import next_questions
from quivive.app.verdicts import Outcome, said
from quivive.cli.shared import printable
from quivive.learn.quality import Judged, Quality, Share, quality
from quivive.model.words import counted, shortened
from quivive.store.database import Store
from quivive.store.named import spoken
from quivive.store.verdicts import Verdicts

M2_TARGET, M9_TARGET = 0.10, 0.90


def told(outcome: Outcome) -> Iterator[str]:
    """What a batch of verdicts came to."""
    yield f"{counted(outcome.taken, 'verdict')} taken" + (
        f", {outcome.amended} in place of another" if outcome.amended else ""
    )
    if outcome.known:
        yield f"  {outcome.known} known already"
    if outcome.unlearned:
        yield f"  {counted(outcome.unlearned, 'login')} taken back from what is usual"
    if outcome.learned:
        yield f"  {counted(outcome.learned, 'held login')} learned after all"
    if outcome.without:
        yield f"  {outcome.without} of them on logins that had taught nothing: kept as labels"


def listed(store: Store, as_json: bool) -> Iterator[str]:
    """Every verdict; one that was superseded says so."""
    kept = Verdicts(store)
    given = kept.all()
    gone = {g.supersedes: g.id for g in given if g.supersedes is not None}
    ids = [g.verdict.event_id for g in given]
    logins, names = kept.logins(ids, lessons=False), spoken(store, ids)
    for one in given:
        verdict, login = one.verdict, logins.get(one.verdict.event_id)
        if as_json:
            line = {
                "event_id": names[verdict.event_id],
                "verdict": verdict.kind,
                "by": verdict.by,
                "why": verdict.why,
                "when": verdict.when,
                "stands": one.id not in gone,
            }
            yield msgspec.json.encode(line).decode()
            continue
        amended = "" if one.id not in gone else "  (amended since)"
        who = shortened(login.identity) if login else "?"
        risk = f"{login.risk_score:5.1f}" if login else "    ?"
        yield printable(
            f"{said(verdict.when)}  {verdict.kind:<20} {risk}  {names[verdict.event_id]}  {who}"
            f"  by {verdict.by}: {' '.join(verdict.why.split())}{amended}"
        )
    if not given and not as_json:
        yield "no verdict yet; quivive verdict ask says where to begin"


def standing_on(event_id: str, state: str) -> Iterator[str]:
    """The verdict that stands on a login, if there is one."""
    with Store(state, create=False) as store:
        given = Verdicts(store).standing().get(event_id)
    if given is not None:
        verdict = given.verdict
        yield printable(
            f"  Verdict         {verdict.kind.replace('_', ' ')}, by {verdict.by} on"
            f" {said(verdict.when)}: {' '.join(verdict.why.split())}"
        )


def questions(store: Store, count: int, as_json: bool) -> Iterator[str]:
    """What to look into next, each with why."""
    found = next_questions(store, count)
    names = spoken(store, [question.login.id for question in found])
    for question in found:
        login = question.login
        if as_json:
            line = {
                "event_id": names[login.id],
                "identity": login.identity,
                "time": login.time,
                "risk_score": round(login.risk_score, 4),
                "at_random": question.at_random,
                "why": question.why,
            }
            yield msgspec.json.encode(line).decode()
        else:
            yield printable(
                f"{login.risk_score:5.1f}  {said(login.time)}  {names[login.id]}"
                f"  {shortened(login.identity)}"
            )
            yield printable(f"       {question.why}")
    if not found and not as_json:
        yield "nothing is left to ask: every login has a verdict, or none was scored yet"


def summarised(store: Store, as_json: bool) -> Iterator[str]:
    """Precision and false positives, by kind of identity and by product."""
    kept = Verdicts(store)
    standing, asked = kept.standing(), kept.asked()
    logins = kept.logins(list(standing), lessons=False)
    judged = [
        Judged(
            logins[event_id].stratum,
            logins[event_id].band,
            given.verdict.kind,
            event_id in asked and asked[event_id].at_random,
        )
        for event_id, given in standing.items()
        if event_id in logins
    ]
    for found in quality(judged, kept.population()):
        yield msgspec.json.encode(found).decode() if as_json else printable(_line(found))


def _line(found: Quality) -> str:
    head = (
        f"{found.of}: {counted(found.findings, 'finding')},"
        f" {counted(found.verdicts, 'verdict')} on them"
    )
    if found.precision is None or found.false_positives is None:
        return f"{head}; {found.missing}"
    return (
        f"{head}; precision {_share(found.precision)}, aim over {M9_TARGET:.0%};"
        f" false positives {_share(found.false_positives)}, aim under {M2_TARGET:.0%}"
    )


def _share(share: Share) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
