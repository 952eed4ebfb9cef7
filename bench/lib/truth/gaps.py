"""The gap records of a log, and what lies within them."""

import bisect
from dataclasses import dataclass

SINK = ("sink_queue_full", "sink_failed")


@dataclass
class Gap:
    reason: str
    begin: int  # µs
    end: int
    lost: object  # a count or None
    where: str


class Gaps:
    def __init__(self):
        self.all = []
        self._begins = []

    def add(self, gap):
        at = bisect.bisect_right(self._begins, gap.begin)
        self._begins.insert(at, gap.begin)
        self.all.insert(at, gap)

    def over(self, time, until=None, reasons=None):
        """A gap that has `time` in it, or touches the stretch up to `until`. Times are cut to the microsecond, so the end counts for one more."""
        until = time if until is None else until
        for at in range(bisect.bisect_right(self._begins, until) - 1, -1, -1):
            gap = self.all[at]
            if gap.end + 1 >= time and (reasons is None or gap.reason in reasons):
                return gap
            if gap.begin < time - 600_000_000:  # no gap of a run lasts ten minutes
                break
        return None

    def clusters(self):
        """Lists of gaps that overlap or touch."""
        cluster, end = [], 0
        for gap in self.all:
            if cluster and gap.begin > end:
                yield cluster, end
                cluster = []
            end = max(end, gap.end) if cluster else gap.end
            cluster.append(gap)
        if cluster:
            yield cluster, end
