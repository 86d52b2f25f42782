"""Carrying out one request at one vendor: whatever happens becomes a result."""

from typing import Any

from quivive.model.errors import ConfigurationError
from quivive.model.response import ResponseRequest, ResponseResult, ResponseStatus
from quivive.respond.client import Client, Clock, HttpSettings, system_clock
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError
from quivive.respond.response import Action, Outcome, Talk


def client_for(
    action: Action, settings: Any, http: HttpSettings | None = None, **given: Any
) -> Client:
    """The way out to the vendor's hosts. Raises RefusedError for URLs that are none."""
    base, *also = action.hosts(settings)
    return Client(base, http, also=tuple(also), private=action.private, **given)


def carry_out(
    action: Action,
    settings: Any,
    request: ResponseRequest,
    client: Client | None,
    *,
    connection: str | None = None,
    clock: Clock | None = None,
) -> ResponseResult:
    """Performs the request. A dry run needs no client and asks nothing."""
    return _told(action, settings, request, client, connection, clock, None)


def take_back(
    action: Action,
    settings: Any,
    request: ResponseRequest,
    undo: dict[str, Any],
    client: Client | None,
    *,
    connection: str | None = None,
    clock: Clock | None = None,
) -> ResponseResult:
    """Undoes what an earlier result remembered under ``undo``."""
    return _told(action, settings, request, client, connection, clock, undo)


def _told(
    action: Action,
    settings: Any,
    request: ResponseRequest,
    client: Client | None,
    connection: str | None,
    clock: Clock | None,
    undo: dict[str, Any] | None,
) -> ResponseResult:
    clock = clock or system_clock()
    started = clock.now()
    talk = Talk(
        action.hosts(settings)[0],
        client,
        lambda talk: action.authorise(settings, talk),
        started,
        dry=request.dry_run,
    )
    status: ResponseStatus = "failed"
    detail, retry_after = "", None
    if client is not None:
        about = f"{request.key}@{connection or action.name}"
        client.carried = request.origin.headers(about) if request.origin is not None else {}
    try:
        outcome = _ask(action, settings, request, talk, undo)
        detail = outcome.detail
        if request.dry_run:
            status = "dry_run"
        else:
            status = "undone" if undo is not None else outcome.status
    except RefusedError as error:
        status, detail = "refused", str(error)
    except RejectedError as error:
        detail = str(error)
    except UnavailableError as error:
        detail, retry_after = str(error), error.retry_after or 0.0
    except ConfigurationError as error:  # a secret that is not there yet
        detail, retry_after = str(error), 0.0
    except Exception as error:  # noqa: BLE001  a fault of ours must not stop the other responses
        detail = f"a fault in the response {action.name} ({type(error).__name__}); please report it"
    return ResponseResult(
        key=request.key,
        action=request.action,
        connection=connection or action.name,
        status=status,
        asked=tuple(talk.asked),
        vendor_request_id=talk.request_id,
        detail=detail,
        undo=talk.undo or None if undo is None else None,
        retry_after=retry_after,
        started=started,
        ended=clock.now(),
    )


def _ask(
    action: Action,
    settings: Any,
    request: ResponseRequest,
    talk: Talk,
    undo: dict[str, Any] | None,
) -> Outcome:
    if undo is not None:
        if action.undo is None or request.action not in action.undoes:
            raise RefusedError(f"{request.action} cannot be taken back at {action.vendor}")
        return action.undo(request, undo, settings, talk)
    if request.action not in action.does:
        raise RefusedError(f"{action.vendor} does not {request.action}")
    return action.perform(request, settings, talk)
