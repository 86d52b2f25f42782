"""One JSON object a line on standard error: no secret, and of people nothing but ids."""

import logging
import sys

import structlog


def configure(level: str = "info", *, access: bool = True) -> None:
    """Sets the format up for this process. access: a line for every request."""
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if not access:
        from quivive.server import front

        front.log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        )
    handler = _Handler()
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING)


class _Handler(logging.Handler):
    """What uvicorn and asyncio say, in the same form, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say(record.getMessage().splitlines()[0][:300] if record.msg else "")
