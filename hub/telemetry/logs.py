"""Structured logs: readable lines for people, JSON for machines; never a token or a payload."""

from __future__ import annotations

import contextlib
import logging
import sys

import structlog


class StderrLogger:
    """Writes lines to stderr for as long as somebody reads it.

    A hub must not fail because the reader of its log has gone (its pipe gives EPIPE): it goes on
    without a log. There is nowhere left to tell it.
    """

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = msg


def configure_logs(*, json: bool, level: str, worker: str = "") -> None:
    """Set up structlog and the standard library's logging; to be called once per process.

    Args:
        json: one JSON object per line in place of text.
        level: least level logged: debug, info, warning or error.
        worker: stands in every line, where several processes write one log.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default shows local variables: events and tokens among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if worker:
        processors.insert(0, _naming(worker))
    rendering: list[structlog.types.Processor] = [renderer]
    if json:
        rendering.insert(0, structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: StderrLogger(),
        cache_logger_on_first_use=True,
    )
    handler = _StderrHandler()
    # Lines of uvicorn, grpc, asyncio and warnings look like ours.
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            # A traceback is rendered by ours, once.
            keep_exc_info=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)


def _naming(worker: str) -> structlog.types.Processor:
    def name(
        _logger: object, _method: str, event: structlog.types.EventDict
    ) -> structlog.types.EventDict:
        return {"worker": worker, **event}

    return name


class _StderrHandler(logging.Handler):
    """The standard library's records, written as ours are."""

    def __init__(self) -> None:
        super().__init__()
        self._logger = StderrLogger()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._logger.msg(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of the standard library does
            self.handleError(record)
