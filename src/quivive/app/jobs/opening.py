"""What a process of several judges with, and when several cannot do it."""

from collections.abc import Callable

from quivive.app.errors import UsageError
from quivive.app.jobs.worker import Bench
from quivive.app.keeping import Entries, load_state
from quivive.app.models import InUse, in_use
from quivive.app.policies import decider
from quivive.app.policy_file import shipped
from quivive.app.scoring import engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.policy.budget import Budgets
from quivive.policy.decider import Decider
from quivive.policy.rules import Policy
from quivive.store.database import Store


def check_jobs(jobs: int, models: InUse) -> None:
    """Raises UsageError where a model has to see all logins in one process."""
    if jobs == 1:
        return
    if models.beside is not None:
        name = models.beside.model.version
        raise UsageError(
            f"--jobs {jobs}: model {name} looks on in shadow, and measures all logins in one"
            " process; leave --jobs out, or retire it (quivive models retire)"
        )
    if models.model.trees:
        raise UsageError(
            f"--jobs {jobs}: model {models.model.version} ranks findings by trees, which want all"
            " of the evidence in one process; leave --jobs out"
        )


def without_store(enricher: Enricher, policy: Policy | None) -> Callable[[], Bench]:
    """A process that begins knowing nothing, and keeps nothing."""

    def make() -> Bench:
        state = State()
        decides = Decider(policy or shipped(), spent=state.spent)
        return Bench(engine(state, enricher, decider=decides), decides, keeps=False)

    return make


def with_store(
    where: str, enricher: Enricher, budgets: Budgets, policy: Policy | None
) -> Callable[[], Bench]:
    """A process that reads what is known from a store; what it learns is kept by another."""

    def make() -> Bench:
        store = Store(where)  # for as long as the process lives
        state = load_state(store)
        if state is None:
            state = State()
            state.back_by(Entries(store), empty=True)
        decides = decider(store, policy, state.spent)
        models = in_use(store, state, budgets)
        return Bench(engine(state, enricher, models.model, decider=decides), decides, keeps=True)

    return make
