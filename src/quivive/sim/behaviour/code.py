"""Life at the code host: people with their tokens, workflows on their runners, keys and bots."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from quivive.sim.action import Action, CodeAction, Login, Outcome, SignIn, Token
from quivive.sim.behaviour.engineers import Where
from quivive.sim.code import (
    APP,
    DEPENDABOT,
    FINE_GRAINED,
    WORKFLOWS,
    Codebase,
    Coder,
    Repo,
    Runner,
    at,
    token,
)
from quivive.sim.organisation import Organisation
from quivive.sim.people import Person
from quivive.sim.places import DAY, City
from quivive.sim.world import Spot

WEB = "GitHub Enterprise Cloud"
_ROUTES = ("/repositories/:repository_id/pulls", "/repositories/:repository_id/issues",
           "/organizations/:organization_id/repos",
           "/repositories/:repository_id/actions/runs")  # fmt: skip
_CODING = 0.37
_NOBODY = Spot("")


def git(
    coder: Coder, person: Person, time: float, spot: Spot, operation: str, repo: Repo
) -> CodeAction:
    """A git command of somebody with the credential they have then."""
    return CodeAction(
        time=time, identity=person.email, spot=spot, operation=operation, by=coder.login,
        repo=repo.full, token=coder.token(time), agent=coder.agent(person, time),
        details={"transport": coder.transport},
    )  # fmt: skip


def request(
    identity: str, by: Login, time: float, spot: Spot, agent: str, used: Token, route: str,
    repo: str = "", status: int = 200, method: str = "GET",
) -> CodeAction:  # fmt: skip
    """A request of the REST API."""
    return CodeAction(
        time=time, identity=identity, spot=spot, operation="api.request", by=by, repo=repo,
        token=used, agent=agent,
        details={"request_method": method, "route": route, "status_code": status},
    )  # fmt: skip


def coding(
    rng: random.Random, where: Where, coder: Coder, person: Person, city: City, day: date
) -> Iterator[Action]:
    """A working day's git commands, API scripts, and what comes with a new machine or token."""
    begin, end = person.hours(day, city)
    midnight = city.midnight(day)
    new_machine = any(0 < since - midnight < DAY for since, _ in person.laptops[1:])
    for since, fresh in coder.tokens[1:]:
        if 0 < since - midnight < DAY:
            time = max(begin, since)
            client = person.laptop(time)
            yield CodeAction(
                time=time, identity=person.email, spot=where(rng, time, client), by=coder.login,
                operation="org_credential_authorization.grant", agent=client.agent(time),
                details={"credential_type": fresh.kind, "managed_hashed_token": fresh.digest},
            )  # fmt: skip
    if new_machine or person.joins == day:
        time = begin + rng.uniform(1, 4) * 3600
        spot = where(rng, time, person.laptop(time))
        for repo in coder.repos:
            if repo.created < time:
                yield git(coder, person, time, spot, "git.clone", repo)
                time += rng.uniform(20, 400)
    if rng.random() < _CODING:
        time = rng.uniform(begin, end) if rng.random() > 0.07 else end + rng.uniform(0, 5) * 3600
        spot = where(rng, time, person.laptop(time))
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            repo = coder.repos[min(int(rng.expovariate(1.1)), len(coder.repos) - 1)]
            operation = rng.choices(("git.fetch", "git.push", "git.clone"), (60, 33, 4))[0]
            if repo.created < time:
                yield git(coder, person, time, spot, operation, repo)
            time += rng.expovariate(1 / 1800)
    if coder.script and rng.random() < 0.8:
        agent, used, hours = coder.script
        time = begin + hours * 3600 + abs(rng.gauss(0, 600))
        spot = where(rng, time, person.laptop(time))
        for _ in range(rng.choice((1, 1, 2))):
            missing = rng.random() < 0.02
            yield request(
                person.email, coder.login, time, spot, agent, used, rng.choice(_ROUTES[:3]),
                coder.repos[0].full, 404 if missing else 200,
            )  # fmt: skip
            time += rng.uniform(1, 20)


def responses(org: Organisation, actions: Iterable[Action]) -> Iterator[CodeAction]:
    """The answers of single sign-on that logins to the code host bring there."""
    for action in actions:
        if isinstance(action, SignIn) and action.app.name == WEB and action.interactive:
            coder = org.code.coders.get(action.identity)
            if coder and action.outcome is Outcome.SUCCESS:
                yield sso(coder, action)


def sso(coder: Coder, login: SignIn) -> CodeAction:
    """The answer that one login brings."""
    return CodeAction(
        time=login.time + 1.4, identity=login.identity, spot=login.spot, by=coder.login,
        operation="org.sso_response", agent=login.client.agent(login.time),
    )  # fmt: skip


def machines(org: Organisation) -> Iterator[Action]:
    """The workflows, their runners, deploy keys and bots, and new repositories."""
    yield from _farm(org)
    for repo in org.code.repos:
        rng = org.rng("repo", repo.name)
        owners = [p for p in org.people if p.email in org.code.coders and not p.dormant]
        team = [(p, coder) for p in owners if repo in (coder := org.code.coders[p.email]).repos]
        if repo.created and owners:
            yield from _new(rng, org, repo, owners)
        yield from _workflows(rng, org, repo, team)
        if repo.deploy:
            yield from _deploys(rng, org, repo, repo.deploy)
        yield from _updates(rng, org, repo)


def _new(
    rng: random.Random, org: Organisation, repo: Repo, owners: list[Person]
) -> Iterator[CodeAction]:
    day = org.dates()[int((repo.created - org.begin) // DAY)]
    able = [person for person in owners if person.employed(day)]
    if able:
        person = rng.choice(able)
        client = person.laptop(repo.created)
        spot = person.at_home(rng, repo.created)
        yield CodeAction(
            time=repo.created, identity=person.email, spot=spot, operation="repo.create",
            by=org.code.coders[person.email].login, repo=repo.full,
            agent=client.agent(repo.created), details={"visibility": "private"},
        )  # fmt: skip


def _workflows(
    rng: random.Random, org: Organisation, repo: Repo, team: list[tuple[Person, Coder]]
) -> Iterator[CodeAction]:
    """Runs in working hours, after pushes or by hand; some also at night, by schedule."""
    time = max(org.begin, repo.created) + rng.uniform(0, repo.every)
    while time < org.end:
        weekday = (org.first.weekday() + int((time - org.begin) // DAY)) % 7
        day = org.dates()[int((time - org.begin) // DAY)]
        here = [(person, coder) for person, coder in team if person.employed(day)]
        if weekday < 5 and 7 <= time % DAY / 3600 < 22 and here:
            person, coder = rng.choice(here)
            by_hand = rng.random() < 0.06
            yield from job(
                rng, org.code, repo, time, "workflow_dispatch" if by_hand else "push",
                coder.login, at(repo.runners, time), workflow=rng.choice(repo.known(time)),
                by_hand=_desk(rng, person, time, day) if by_hand else None,
            )  # fmt: skip
        time += rng.expovariate(1 / repo.every) + 60
    night = org.begin + repo.nightly * 3600
    while repo.nightly >= 0 and night < org.end:
        if night > repo.created:
            yield from job(
                rng, org.code, repo, night + rng.uniform(0, 900), "schedule", WORKFLOWS,
                at(repo.runners, night), workflow="nightly.yml",
            )  # fmt: skip
        night += DAY


def _farm(org: Organisation) -> Iterator[CodeAction]:
    """Every few weeks somebody sets up a runner anew."""
    rng = org.rng("runners")
    time = org.begin + rng.uniform(2, 15) * DAY
    while time < org.end:
        day = org.dates()[int((time - org.begin) // DAY)]
        able = [p for p in org.people if p.email in org.code.coders and p.employed(day)]
        if able and day.weekday() < 5:
            person = rng.choice([p for p in able if p.department == "Platform"] or able)
            when = person.hours(day, person.home)[0] + rng.uniform(0, 8) * 3600
            used, spot = token(rng, FINE_GRAINED), _desk(rng, person, when, day)
            yield registered(person, org.code.coders[person.email], when, spot, used)
        time += rng.uniform(5, 18) * DAY


def _desk(rng: random.Random, person: Person, time: float, day: date) -> Spot:
    """Where somebody works from, as a rule."""
    if person.office and rng.random() < person.office_share:
        return person.office.spot(rng, day)
    return person.at_home(rng, time)


def registered(person: Person, coder: Coder, time: float, spot: Spot, used: Token) -> CodeAction:
    """A machine joins the organisation's runners."""
    return CodeAction(
        time=time, identity=person.email, spot=spot, by=coder.login, token=used,
        operation="org.register_self_hosted_runner", agent="GitHubActionsRunner-linux-x64/2.321.0",
    )  # fmt: skip


def job(
    rng: random.Random,
    code: Codebase,
    repo: Repo,
    time: float,
    event: str,
    by: Login,
    runner: Runner,
    *,
    workflow: str = "deploy.yml",
    secrets: tuple[str, ...] | None = None,
    by_hand: Spot | None = None,
) -> Iterator[CodeAction]:
    """One run: told when it begins and ends, its code fetched with the job's own token.

    ``by_hand`` is where somebody sits who starts it by request.
    """
    number = rng.randrange(10**9, 10**10)
    common = {"event": event, "name": workflow.partition(".")[0].title(), "head_branch": "main",
              "workflow_run_id": number}  # fmt: skip
    hosted = runner.spot is None
    spot = runner.spot or rng.choice(code.hosted).any(rng)

    def told(at_: float, operation: str, **more: object) -> CodeAction:
        identity = repo.workflow if "job" in operation else by.email or by.name
        return CodeAction(time=at_, identity=identity, spot=_NOBODY, operation=operation, by=by,
                          repo=repo.full, details={**common, **more})  # fmt: skip

    created = told(time, "workflows.created_workflow_run")
    yield replace(created, spot=by_hand) if by_hand else created
    yield told(
        time + rng.uniform(2, 20),
        "workflows.prepared_workflow_job",
        job_name="build",
        job_workflow_ref=f"{repo.full}/.github/workflows/{workflow}@refs/heads/main",
        is_hosted_runner=hosted,
        runner_name=f"GitHub Actions {rng.randrange(1000, 9999)}" if hosted else runner.name,
        runner_labels=["ubuntu-24.04"] if hosted else ["self-hosted", "linux", "x64"],
        secrets_passed=list(repo.secrets if secrets is None else secrets),
    )
    time += rng.uniform(21, 60)
    yield CodeAction(
        time=time, identity=repo.workflow, spot=spot, operation="git.fetch", by=WORKFLOWS,
        repo=repo.full, token=token(rng, APP), agent="git/2.48.1",
        details={"transport": "http"},
    )  # fmt: skip
    good = rng.random() < 0.93
    yield told(
        time + rng.uniform(40, 900),
        "workflows.completed_workflow_run",
        conclusion="success" if good else "failure",
    )


def _deploys(rng: random.Random, org: Organisation, repo: Repo, key: Token) -> Iterator[CodeAction]:
    """A server that fetches what to run, a few times a day."""
    time = max(org.begin, repo.created) + rng.uniform(0, 4) * 3600
    while time < org.end:
        spot = [place for since, place in repo.server if since <= time][-1]
        yield deployed(repo, key, time, spot)
        time += 4 * 3600 + rng.uniform(-120, 120)


def deployed(repo: Repo, key: Token, time: float, spot: Spot) -> CodeAction:
    """A fetch with a deploy key."""
    return CodeAction(
        time=time, identity=repo.deploy_identity, spot=spot, operation="git.fetch",
        by=Login("deploy_key", 0), repo=repo.full, token=key, details={"transport": "ssh"},
    )  # fmt: skip


def _updates(rng: random.Random, org: Organisation, repo: Repo) -> Iterator[CodeAction]:
    """Updates of dependencies on Mondays; the organisation's own app makes a release of them."""
    time = max(org.begin, repo.created) + (7 - org.first.weekday()) % 7 * DAY
    while time < org.end:
        for _ in range(rng.choice((0, 1, 1, 2))):
            when = time + rng.uniform(5, 6) * 3600
            yield CodeAction(
                time=when, identity=DEPENDABOT.name, spot=rng.choice(org.code.hosted).any(rng),
                operation="git.push", by=DEPENDABOT, repo=repo.full, token=token(rng, APP),
                agent="git/2.43.0", details={"transport": "http"},
            )  # fmt: skip
        if rng.random() < 0.5:
            when = time + rng.uniform(30, 34) * 3600
            release, spot = org.code.release, org.code.release_spot
            used = token(rng, APP)
            for route in ("/repositories/:repository_id/pulls/:pull_number/merge",
                          "/repositories/:repository_id/releases"):  # fmt: skip
                yield request(release.name, release, when, spot, "octokit.js/4.1.2", used, route,
                              repo.full, 201, "POST")  # fmt: skip
                when += rng.uniform(1, 30)
        time += 7 * DAY
