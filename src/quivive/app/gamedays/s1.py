"""S1: a developer's kubeconfig, used from an address outside."""

from quivive.app.gamedays.day import Day, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import RBAC, Cluster, Fakes
from quivive.app.gamedays.path import Path, Seen, connection
from quivive.model.errors import ConfigurationError
from quivive.model.response import response_key
from quivive.sim.gamedays import Plan


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(
        Plan(day.seed, 40, 40, ("kubernetes", "entra"), (("stolen_kubeconfig", 37),), ends=38)
    )
    users = {
        p.cluster_user: (p.namespaces or ("default",))[0]
        for p in rehearsal.organisation.people
        if p.cluster_user
    }
    victim = next(
        p for p in rehearsal.organisation.people if p.email == rehearsal.incidents[0].identity
    )
    cluster = Cluster(users)
    path_of_binding = cluster.path_of(victim.cluster_user)
    before, live = day.split(rehearsal.incidents[0].first - 6 * 3600)
    with day.path() as path:
        fakes = Fakes(path.clock, cluster)
        secret = {"file": str(path.folder / "shared.secret")}
        path.connect(fakes, [connection("kubernetes", {"url": cluster.url, "token": secret})])
        day.report.figures["logins of history"] = path.history(before)
        day.begin(path, fakes, policy_of("S1"))
        attack = day.play(path, live)
        bound = len(cluster.bindings)
        first = day.demand(
            path,
            fakes,
            attack,
            Expected(
                action="revoke",
                rule="gameday-s1/cluster-credential-outside",
                signals=("country", "network", "unaccompanied"),
                requests=[f"DELETE {path_of_binding}"],
            ),
        )
        day.report.check(
            "only this binding",
            f"{len(users) - 1} of {len(users)} bindings are left",
            f"{bound} are left",
            bound == len(users) - 1,
        )
        _restore(day, path, cluster, path_of_binding, victim.cluster_user, first)


def _restore(
    day: Day, path: Path, cluster: Cluster, place: str, user: str, first: Seen | None
) -> None:
    """The restore note: what was taken can be given back, once it is known whose it was."""
    said, given = "there was nothing to take back", False
    if first is not None and path.responder is not None:
        key = response_key(first.id, first.decision.rule, first.decision.action)
        try:
            path.responder.undo(key, by="game day", why="the developer has a new kubeconfig")
            given = cluster.path_of(user) == place
            said = f"POST {RBAC}/… made it again" if given else "it is not back"
        except ConfigurationError as error:
            said = str(error)
    day.report.check("restore note", "undo gives the binding back as it was", said, given)


SCENARIO = Scenario(
    name="S1",
    title="A kubeconfig is used from an unexpected address",
    goal="The developer's role binding is taken away within minutes, and the platform's people are"
    " told; nobody else loses anything, and the restore note gives it back.",
    seed=12,
    play=play,
)
