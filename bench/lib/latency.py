"""From the kernel's own time of an event to its line in the file."""

import datetime
import os
import threading
import time

from . import compare, measure, namespace, readers, report, table

LOOK = 0.0005  # seconds between two looks at the file


def run(args):
    rows = []
    with namespace.created() as space:
        for name in args.readers:
            reader = readers.READERS[name]
            with table.raised(args.rate * args.seconds + measure.WARM_UP + 10_000), measure.scratch(name) as directory, \
                    measure.running(space, reader, directory) as program:
                measure.storm(space, measure.WARM_UP, "--flush")
                program.wait_quiet()
                with Tail(f"{directory}/flows.json") as tail:
                    measure.storm(space, args.rate * args.seconds, "--rate", args.rate, *compare.storm_options(args))
                    program.wait_quiet()
                space.flush()
                program.wait_quiet()
            rows.append(_row(reader, tail.delays()))
            print(rows[-1], flush=True)
    body = report.table(("reader", "lines", "p50, ms", "p99, ms", "most, ms"), rows)
    body += (f"\nFlows at {args.rate:,}/s for {args.seconds} s. From `time` of a start record, which is the kernel's time of the event, to "
             f"the moment at which the line was first seen in the file, which is looked at every {LOOK * 1000:g} ms.\n")
    report.publish(f"latency{compare.suffix(args)}", f"Event to line at {args.rate:,} flows a second", body, args.save)
    return 0


def _row(reader, delays):
    delays.sort()
    return (reader.title, f"{len(delays):,}", *(f"{1000 * delays[int(share * (len(delays) - 1))]:.2f}" for share in (0.5, 0.99, 1)))


class Tail:
    """Notes how long the file is, again and again; what was read when is worked out afterwards."""

    def __init__(self, path):
        self._path, self._seen = path, []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._begin = os.stat(self._path).st_size
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        with open(self._path, "rb") as file:
            file.seek(self._begin)
            self._text = file.read(self._seen[-1][0] - self._begin)

    def delays(self):
        result, seen = [], iter(self._seen)
        size, when = next(seen)
        offset = self._begin
        for line in self._text.splitlines(keepends=True):
            offset += len(line)
            while size < offset:
                size, when = next(seen)
            if b'"event":"start"' in line:
                start = line.index(b'"time":"') + 8
                result.append(when - datetime.datetime.fromisoformat(line[start:start + 27].decode()).timestamp())
        return result

    def _watch(self):
        size = self._begin
        while True:
            last = self._ends.is_set()
            now = os.stat(self._path).st_size
            if now != size:
                self._seen.append((now, time.time()))
                size = now
            if last:
                return
            time.sleep(LOOK)
