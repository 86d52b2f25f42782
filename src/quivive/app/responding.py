"""The worker that empties the outbox: asks vendors, tries again, gives up, calls a person.

A row is one intended response. It is asked of every connection that is responsible; those that are
settled are not asked again. Every way to ask a vendor can be repeated without harm, so that a crash
between the vendor's answer and the row's next state costs a repetition, never a response.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from quivive.app.errors import UsageError
from quivive.app.intents import Intended
from quivive.app.responses import Connection, Responses
from quivive.model.audit import Entry
from quivive.model.notification import Notification
from quivive.model.response import CONTAINMENT, SETTLED, ResponseRequest, ResponseResult
from quivive.respond.client import Client, Clock, Outlet, system_clock
from quivive.respond.performing import carry_out, client_for, take_back
from quivive.respond.remediation import Remediation
from quivive.store.outbox import Row, StoredOutbox

FIRST_WAIT = 5_000  # ms before the second attempt, doubled each time
LONGEST_WAIT = 300_000
LEASE = 300_000  # ms for which a claimed row is nobody else's
BATCH = 20
RUNBOOK = "docs/runbooks/response-failed.md"
ACTOR = "responder"


Failed = Callable[[str, int, str], None]  # event id, ms UTC, why


class Worker:
    """Works on one outbox with one set of connections."""

    def __init__(
        self,
        outbox: StoredOutbox,
        settings: Responses,
        *,
        clock: Clock | None = None,
        connect: Callable[[Connection], Client] | None = None,
        outlet: Outlet | None = None,
        failed: Failed | None = None,
    ) -> None:
        """connect: makes the client of a connection; tests give their own. outlet: where events go
        that receivers fetch themselves. failed: marks the incident of a containment that failed;
        it may be called twice for one.
        """
        self.outbox = outbox
        self.settings = settings
        self.clock = clock or system_clock()
        self.times = Remediation()
        self.outlet = outlet
        self.failed: Failed = failed or (lambda *_: None)
        self._connect = connect or (
            lambda c: client_for(c.action, c.settings, c.http, clock=self.clock)
        )
        self._clients: dict[str, Client] = {}

    def run_once(self) -> int:
        """Works on what is due now; returns how many rows that were."""
        claimed = self.outbox.claim(self.clock.now(), BATCH, LEASE)
        for row in claimed:
            self._work(row)
        return len(claimed)

    def close(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def breakers(self) -> dict[str, str]:
        """The circuit breakers by connection: closed, open or half-open."""
        now = self.clock.now()
        return {name: client.breaker.state(now) for name, client in self._clients.items()}

    def _work(self, row: Row) -> None:
        intended = read_intended(row.body)
        if intended is None:
            now = self.clock.now()
            self.outbox.finish(row.key, "dead", row.body, "not a response request", [], [], now)
            return
        request = intended.request
        before = dict(intended.results)
        for name, result in self._results(request, intended).items():
            intended.results[name] = _merged(before.get(name), result)
        self._conclude(row, intended, before)

    def _results(self, request: ResponseRequest, intended: Intended) -> dict[str, ResponseResult]:
        """What came of asking those that are not settled yet; ``-`` where there is nobody."""
        now = self.clock.now()
        refusal = self._refusal(request, now)
        if refusal:
            return {"-": _unasked(request, now, "refused", refusal)}
        chosen = self.settings.choose(request)
        if not chosen:
            if request.action == "block":
                answered = "answered where the login is checked; nothing to ask of a vendor"
                return {"-": _unasked(request, now, "nothing_to_do", answered)}
            missing = f"no connection serves {request.action} for {request.target.product}"
            return {"-": _unasked(request, now, "refused", f"{missing}; add one to the settings")}
        found: dict[str, ResponseResult] = {}
        for connection in chosen:
            known = intended.results.get(connection.name)
            if known is None or (known.status not in SETTLED and known.retry_after is not None):
                found[connection.name] = self._ask(connection, request)
        return found

    def _refusal(self, request: ResponseRequest, now: int) -> str:
        names = {request.target.identity, request.target.email or "", request.target.name or ""}
        if {name.lower() for name in names} & self.settings.protect:
            return "the identity is protected (responses.protect); people decide about it"
        deadline = min(request.deadline or now, request.time + self.settings.oldest)
        if now > deadline:
            return "the login is too long ago to act on by itself (responses.oldest_hours)"
        return ""

    def _ask(self, connection: Connection, request: ResponseRequest) -> ResponseResult:
        asked = replace(
            request,
            action=connection.serves[request.action],
            dry_run=request.dry_run or self.settings.dry_run,
        )
        client = None if asked.dry_run else self._client(connection)
        result = carry_out(
            connection.action,
            connection.settings,
            asked,
            client,
            connection=connection.name,
            clock=self.clock,
        )
        return replace(result, action=request.action)

    def _client(self, connection: Connection) -> Client:
        if connection.name not in self._clients:
            self._clients[connection.name] = self._connect(connection)
            self._clients[connection.name].outlet = self.outlet
        return self._clients[connection.name]

    def _conclude(self, row: Row, intended: Intended, before: Mapping[str, object]) -> None:
        request, now = intended.request, self.clock.now()
        open_ = [r for r in intended.results.values() if r.status not in SETTLED]
        waiting = [r for r in open_ if r.retry_after is not None]
        error = "; ".join(f"{r.connection}: {r.detail}" for r in open_)[:1000]
        again = bool(waiting) and row.attempts < self.settings.attempts
        told: list[Notification] = []
        late = now - request.decided >= self.settings.page_after
        old = [r for r in open_ if r.detail.startswith("the login is too long ago")]
        if open_ and not old and not intended.paged and (not again or late):
            if request.action in CONTAINMENT:
                told.append(failed_containment(request, open_, going_on=again))
                self.failed(request.event_id, now, error)
                intended.paged = True
        entries = [
            _entry(request, r, now)
            for name, r in intended.results.items()
            if before.get(name) is not r
        ]
        body = msgspec.json.encode(intended)
        if again:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (row.attempts - 1))
            wait = max(wait, *(round((r.retry_after or 0) * 1000) for r in waiting))
            self.outbox.again(row.key, now + wait, body, error, told, entries, now)
            return
        if open_:
            self.times.failed(request.risk_level)
        elif any(r.status == "done" for r in intended.results.values()):
            self.times.done(request.risk_level, request.time, request.decided, now)
        state = "dead" if open_ else "done"
        self.outbox.finish(row.key, state, body, error, told, entries, now)

    def undo(self, key: str, *, by: str, why: str, dry_run: bool = False) -> list[ResponseResult]:
        """Takes back what was done under a key, and records who wanted it and why.

        Raises UsageError where there is nothing that can be taken back.
        """
        row = self.outbox.find(key)
        intended = None if row is None else read_intended(row.body)
        if row is None or intended is None:
            raise UsageError(f"no response with the key {key!r}; quivive respond list shows them")
        able = {
            name: result
            for name, result in intended.results.items()
            if result.undo and intended.undone.get(name) is None
        }
        if not able:
            raise UsageError(
                f"{key}: nothing to take back: not done, undone already, or the vendor cannot"
            )
        found: list[ResponseResult] = []
        entries: list[Entry] = []
        for name, result in able.items():
            connection = self.settings.named(name)
            if connection is None:
                raise UsageError(f"{key}: was done by {name}, which the settings no longer name")
            action = connection.serves.get(result.action, result.action)
            request = replace(intended.request, action=action, dry_run=dry_run)
            taken = take_back(
                connection.action,
                connection.settings,
                request,
                result.undo or {},
                None if dry_run else self._client(connection),
                connection=name,
                clock=self.clock,
            )
            found.append(taken)
            if taken.status == "undone":
                intended.undone[name] = taken
            entries.append(_entry(request, taken, self.clock.now(), by=by, why=why))
        if not dry_run:
            state = "done" if row.state == "due" else row.state
            body = msgspec.json.encode(intended)
            self.outbox.finish(row.key, state, body, "", [], entries, self.clock.now())
        return found


def read_intended(body: bytes) -> Intended | None:
    """A row's body; None for one that is none."""
    try:
        return msgspec.json.decode(body, type=Intended)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def failed_containment(
    request: ResponseRequest, failed: list[ResponseResult], *, going_on: bool
) -> Notification:
    """The page that says who is still at large, and why."""
    how = [f"{r.connection}: {r.detail}" for r in failed]
    next_ = "It is being tried again." if going_on else "It was given up; do it by hand."
    return Notification(
        key=f"containment-{request.key}",
        about="containment",
        what="failed",
        thread=request.key,
        priority="P1" if request.risk_level in ("critical", "high") else "P2",
        route="page",
        time=request.time,
        title=f"Could not {request.action.replace('_', ' ')} {request.target.identity}",
        text=(*how, next_),
        identity=request.target.identity,
        identity_kind=request.target.kind,
        risk_score=request.risk_score,
        risk_level=request.risk_level,
        reasons=(request.reason,),
        decision=f"{request.action} ({request.rule})",
        runbook=RUNBOOK,
        event_id=request.event_id,
        origin=request.origin,
    )


def _merged(old: ResponseResult | None, new: ResponseResult) -> ResponseResult:
    """A later attempt's result, with what undoing the earlier one needs."""
    if old is None or not old.undo:
        return new
    undo: dict[str, object] = dict(new.undo or {})
    for name, value in old.undo.items():
        known = undo.get(name)
        if isinstance(value, list) and isinstance(known, list):
            undo[name] = [*value, *(entry for entry in known if entry not in value)]
        else:
            undo[name] = value  # the earlier one knows how things were before
    return replace(new, undo=undo)


def _unasked(request: ResponseRequest, now: int, status: str, detail: str) -> ResponseResult:
    return ResponseResult(
        key=request.key, action=request.action, connection="-",
        status="refused" if status == "refused" else "nothing_to_do",
        detail=detail, started=now, ended=now,
    )  # fmt: skip


def _entry(
    request: ResponseRequest, result: ResponseResult, now: int, *, by: str = ACTOR, why: str = ""
) -> Entry:
    details = {
        "key": result.key,
        "action": request.action,
        "identity": request.target.identity,
        "connection": result.connection,
        "rule": request.rule,
        "asked": list(result.asked[-10:]),
        "detail": result.detail[:500],
        "vendor_request_id": result.vendor_request_id,
    }
    if why:
        details["why"] = why[:500]
    return Entry(
        time=now,
        actor=by,
        action=f"response:{result.status}",
        subject=request.event_id[:512],
        details=details,
    )
