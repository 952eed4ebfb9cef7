"""The checker over a directory that a run fills or has filled."""

import json
import os
import time

from . import streams
from .checker import Checker

SHOWN = 3  # violations of a kind


def directory(path, keep):
    with open(f"{path}/violations", "w", encoding="utf-8") as violations:
        checker = Checker(streams.Recorder(f"{path}/events", keep), lambda number, text: _report(violations, number, text))
        checker.follow(_told(streams.journal(f"{path}/journal"), checker, path), keep, os.unlink)
    _write(f"{path}/result.json", {**_status(checker), "kinds": checker.violations, "gaps by reason": _gaps(checker), "new": checker.events["N"],
                                   "destroy": checker.events["D"], "by event": checker.records, "missed": checker.missed, "exact gaps": checker.exact_gaps,
                                   "gap seconds": checker.gap_seconds(), "live": checker.live, "mismatch": checker.mismatch})
    return 1 if checker.violations else 0


def _told(entries, checker, path):
    """Passes the journal on and writes down how far the checker has come."""
    last = 0
    for entry in entries:
        yield entry
        if time.monotonic() - last > 5:
            last = time.monotonic()
            _write(f"{path}/status.json", _status(checker))


def _status(checker):
    return {"events": sum(checker.events.values()), "records": sum(checker.records[kind] for kind in ("start", "end", "update", "gap")),
            "gaps": checker.records["gap"], "violations": sum(checker.violations.values())}


def _gaps(checker):
    return {kind[4:]: count for kind, count in checker.records.items() if kind.startswith("gap ")}


def _report(file, number, text):
    """The file has more examples of a kind than the terminal."""
    file.write(text + "\n")
    file.flush()
    if number <= SHOWN:
        print(text, flush=True)


def _write(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)
