"""What a run can say in a terminal: short lines of what a person wants to know. The UI shows every event as ever."""

import logging
import sys
import time

import dagster as dg


class _ShortLine(logging.Formatter):
    """`11:36:01 cutouts: 67 of 67 ...`, without the job, the run and the event that Dagster puts before the message."""

    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "dagster_meta", None) or {}
        message = facts.get("orig_message") or record.getMessage()
        step = facts.get("step_key")
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        return f"{clock} {f'{step}: ' if step else ''}{message}"


@dg.logger(
    config_schema={"log_level": dg.Field(str, default_value="INFO", is_required=False)},
    description="Short lines on standard error, from `log_level` (INFO) upwards.",
)
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """For runs that ask for it (`loggers: {console: {}}`) in place of Dagster's own, whose lines are long and many."""
    logger = logging.Logger("jewel", level=context.logger_config["log_level"].upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ShortLine())
    logger.addHandler(handler)
    return logger


@dg.definitions
def loggers() -> dg.Definitions:
    """The logger of every job."""
    return dg.Definitions(loggers={"console": console})
