"""
Compares the flow log with the recorder's events, in one pass over both and in memory bounded by the flows of the last minute.

The recorder is read ahead of the log by a second, so whatever a record speaks of is known by then. A flow is judged once its DESTROY lies HORIZON behind
the log's clock (the latest time in a record): what is not told by then is not told any more.
"""

import array
import bisect
import collections
import json
import time as clock

from . import records
from .flow import Flow, Identity
from .gaps import SINK, Gap, Gaps
from .seen_ids import SeenIds

AHEAD = 1_000_000  # µs, of the recorder before the log
FIRST_ROUND = 3_000_000  # until then a service that was started again may not know a flow that its predecessor knew
HORIZON = 60_000_000  # µs, until a flow is judged
WAY = 1_000_000  # µs, most between the first event of an entry and its confirmation, which is the kernel's start
CHECKPOINT_MARGIN = 2_000_000  # µs, for a flow_id to be in a checkpoint written after its first record
_decode = json.JSONDecoder().raw_decode
EXAMPLES = 20  # violations of one kind that are written out

KINDS = {
    "new-untold": "NEW without a start record, in no gap",
    "destroy-untold": "DESTROY without an end record, in no gap",
    "end-inferred": "DESTROY missed, in no gap: its end was only inferred",
    "live-untold": "flow alive at the end without a start record",
    "start-unknown": "start record of no flow of the kernel",
    "start-twice": "second start record of one flow_id in one run of the service",
    "end-unknown": "end record without a start record",
    "end-twice": "second end record of one flow_id",
    "end-alive": "end record of a live flow",
    "end-missing": "start record without an end record",
    "id-reused": "flow_id with two incarnations",
    "id-split": "incarnation with two flow_ids",
    "id-lost": "flow_id not kept over a restart",
    "counters": "counters that fall or differ from the DESTROY's",
    "times": "start time that differs from the DESTROY's",
    "update-unknown": "update record of no open flow_id",
    "gap-bounds": "gap with wrong bounds",
    "gap-count": "gap whose count is not that of the missed events",
    "malformed": "record that is not valid",
    "program": "the service ended by itself or with an error",
}


class Checker:
    def __init__(self, recorder, report=lambda number, text: None):
        self._recorder, self._report = recorder, report
        self._lines = collections.deque()
        self._recorder_ended = False
        self._by_key = {}
        self._limbo = collections.deque()  # flows in the order of their DESTROYs, until they are judged
        self._ids = {}
        self._seen_ids = SeenIds()
        self._gaps = Gaps()
        self._windows = []  # (from, to): nf_conntrack_events was off
        self._missed = array.array("q")
        self._run, self._checkpoint, self._downs = 0, 0, collections.deque()
        self._stops = []  # (from, to): the service was stopped
        self._judge_from = self._judge_until = None
        self.event_clock = self.clock = 0
        self.live = 0
        self.mismatch = None
        self.missed = self.exact_gaps = 0
        self.events = collections.Counter()
        self.records = collections.Counter()
        self.violations = collections.Counter()

    # ---- what is read

    def follow(self, entries, keep_logs=True, remove=None):
        """All of a run: the journal's entries say which logs are complete."""
        live = None
        for entry in entries:
            what = entry["what"]
            if what == "begin":
                self._judge_from = entry["at"]
            elif what == "down":
                self._downs.append((entry["at"], self._known_until(entry["checkpoint"])))
            elif what == "fault" and entry["name"] == "stop":
                self._stops.append((entry["at"], entry["until"]))
            elif what == "window":
                self._windows.append((entry["from"], entry["to"]))
            elif what == "program":
                self._violation("program", entry["text"])
            elif what == "log":
                with open(entry["path"], encoding="utf-8", errors="replace", newline="\n") as file:
                    self.log(entry["name"], file, entry.get("torn", False))
                if not keep_logs:
                    remove(entry["path"])
            elif what == "quiet":
                self._judge_until = entry["at"]
            elif what == "live":
                live = entry["path"]
        self.finish(live)

    def _known_until(self, checkpoint):
        """A checkpoint written just after a stop does not have what happened meanwhile: it still waits to be read."""
        return next((begin for begin, end in self._stops if begin <= checkpoint <= end + CHECKPOINT_MARGIN), checkpoint)

    def log(self, name, lines, torn=False):
        for number, line in enumerate(lines, 1):
            where = (name, number, line)
            if torn and line[-1] != "\n":
                break  # written while it was killed, and never opened again
            try:
                record, end = _decode(line)
                if line[end:] != "\n":
                    raise ValueError("more than one object, or no line's end")
                self._record(record, where)
            except (ValueError, KeyError, TypeError) as error:
                self._violation("malformed", f"{type(error).__name__}: {error}", where)

    def _record(self, record, where):
        time = records.microseconds(record["time"])
        if time > self.clock:
            self.clock = time
            if self.event_clock < time + AHEAD:
                self._read_events(time + 2 * AHEAD)
            if self._limbo and self._limbo[0].destroy <= time - HORIZON - AHEAD:
                self._judge(time - HORIZON)
        event = record["event"]
        self.records[event] += 1
        if event == "start":
            self._start(record, time, where)
        elif event == "end":
            self._end(record, time, where)
        elif event == "update":
            self._update(record, where)
        elif event == "gap":
            self._gap(record, where)
        else:
            raise ValueError(f"event {event}")

    # ---- the recorder's side

    def _read_events(self, until):
        while self.event_clock < until and not self._recorder_ended:
            if not self._lines:
                lines = self._recorder()
                if lines is None:
                    self._recorder_ended = True
                elif lines:
                    self._lines.extend(lines)
                else:
                    clock.sleep(0.05)
                continue
            self._event(self._lines.popleft())

    def _event(self, line):
        kind, time, begin, _, _, _, packets, octets, reply_packets, reply_octets, key = line.split("\t", 10)
        self.events[kind] += 1
        number = self.events["N"] + self.events["D"]
        time = int(time) // 1000
        if time > self.event_clock:
            self.event_clock = time
        key = records.key_of_event(key)
        flows = self._by_key.get(key)
        if kind == "N":
            if flows and flows[-1].new is None and flows[-1].begin is not None and abs(flows[-1].begin - time) < WAY:
                flows[-1].new, flows[-1].new_line = time, number  # its DESTROY was queued first
                return
            flow = Flow(key, time, number)
            if flows is None:
                self._by_key[key] = [flow]
            else:
                flows.append(flow)
            return
        flow = next((flow for flow in flows or () if flow.destroy is None), None)
        if flow is None:
            flow = Flow(key, None, number)
            self._by_key.setdefault(key, []).append(flow)
        flow.begin = int(begin) // 1000 or None
        flow.destroy, flow.destroy_line = time, number
        if packets != "-":
            flow.counters = (int(packets), int(octets), int(reply_packets), int(reply_octets))
        self._limbo.append(flow)

    # ---- the log's side

    def _start(self, record, time, where):
        key = records.key_of_record(record)
        counters = records.counters_of_record(record)
        flow = self._flow_of_start(record, key, time, counters)
        if flow is None:
            self._violation("start-unknown", "", where)
            return
        flow_id = record["flow_id"]
        identity = self._ids.get(flow_id)
        if identity is None and flow_id in self._seen_ids:
            self._violation("id-reused", f"it has ended before; {flow}", where)
        elif identity is not None and identity.flow is not flow:
            self._violation("id-reused", f"first used at {identity.where} for {identity.flow}; now for {flow}", where)
        elif identity is not None and identity.run == self._run:
            self._violation("start-twice", f"first at {identity.where}; {flow}", where)
        flow.started = True
        if record["origin"] == "event" and counters is None and time == flow.new:
            flow.told = True
        self._see_counters(flow, counters, where)
        if identity is not None and identity.flow is flow:
            identity.run = self._run
            return
        self._seen_ids.add(flow_id)
        self._supersede(flow, where)
        self._ids[flow_id] = Identity(flow, self.clock, self._run, where[:2])
        flow.ids.append(flow_id)

    def _flow_of_start(self, record, key, time, counters):
        flows = self._by_key.get(key, ())
        if record["origin"] == "event" and counters is None:
            exact = next((flow for flow in flows if flow.new == time), None)
            if exact is not None:
                return exact
        begin = records.microseconds(record["start"]) if "start" in record else time
        nearest = self._nearest(key, begin)
        if nearest is not None:
            return nearest
        if any(low <= begin <= high for low, high in self._windows):
            flow = Flow(key, None, None)
            flow.begin, flow.told = begin, True
            self._by_key.setdefault(key, []).append(flow)
            return flow
        return None

    def _nearest(self, key, begin):
        """The flow that began when a record says so."""
        best = min(self._by_key.get(key, ()), key=lambda flow: _distance(flow, begin), default=None)
        return best if best is not None and _distance(best, begin) <= WAY else None

    def _supersede(self, flow, where):
        """Another flow_id for the same incarnation: after a restart, where the checkpoint did not have the first one yet."""
        for flow_id in flow.ids:
            identity = self._ids.pop(flow_id, None)
            if identity is None:
                continue
            if identity.run == self._run:
                self._violation("id-split", f"{flow_id} at {identity.where}; {flow}", where)
            elif identity.since < self._checkpoint - CHECKPOINT_MARGIN:
                self._violation("id-lost", f"{flow_id} at {identity.where}, checkpoint of {records.written(self._checkpoint)}; {flow}", where)
        flow.ids.clear()
        if flow.ended:
            self._violation("id-split", f"it has ended under another flow_id already; {flow}", where)

    def _end(self, record, time, where):
        flow_id, key = record["flow_id"], records.key_of_record(record)
        identity = self._ids.pop(flow_id, None)
        exact = next((flow for flow in self._by_key.get(key, ()) if flow.destroy == time and not flow.exact), None)
        if identity is None:
            self._end_without_start(record, time, exact, where)
            return
        flow = identity.flow
        flow.ids.remove(flow_id)
        flow.ended = True
        counters = records.counters_of_record(record)
        self._see_counters(flow, counters, where)
        if exact is flow:
            flow.exact = True
            if counters is not None and flow.counters is not None and counters != flow.counters:
                self._violation("counters", f"{counters}; {flow}", where)
            if "start" in record and flow.begin is not None and records.microseconds(record["start"]) != flow.begin:
                self._violation("times", str(flow), where)
        elif exact is not None:
            self._violation("id-reused", f"the start at {identity.where} is of {flow}; this DESTROY is of {exact}", where)
            exact.exact = exact.ended = True
        elif flow.key != key:
            self._violation("id-reused", f"the start at {identity.where} is of {flow}; this end is of {key}", where)
        else:
            self._see_inferred_end(flow, time, where)

    def _see_inferred_end(self, flow, time, where):
        if (flow.destroy is None and flow.new is not None) or (flow.destroy is not None and flow.destroy > time + AHEAD // 1000):
            self._violation("end-alive", str(flow), where)
        elif flow.destroy is None:
            self._forget(flow)  # never had events

    def _end_without_start(self, record, time, exact, where):
        """Right if the start record is missing with a sink's gap, which is judged with the flow."""
        if record["flow_id"] in self._seen_ids:
            self._violation("end-twice", f"{exact or 'at the time of no DESTROY'}", where)
            return
        self._seen_ids.add(record["flow_id"])
        flow = exact or self._nearest(records.key_of_record(record), records.microseconds(record["start"]) if "start" in record else time)
        if flow is None or flow.started or flow.ended:
            self._violation("end-unknown", f"{flow or 'of no flow of the kernel'}", where)
            return
        if flow is not exact:
            self._see_inferred_end(flow, time, where)
        flow.exact, flow.ended, flow.orphan = flow is exact, True, where

    def _update(self, record, where):
        identity = self._ids.get(record["flow_id"])
        if identity is not None:
            self._see_counters(identity.flow, records.counters_of_record(record), where)
            if identity.flow.key != records.key_of_record(record):
                self._violation("id-reused", f"the start at {identity.where} is of {identity.flow}", where)
        elif record["flow_id"] in self._seen_ids or not self._gaps.over(self.clock - HORIZON, self.clock, SINK):
            self._violation("update-unknown", "", where)

    def _see_counters(self, flow, counters, where):
        if counters is None:
            return
        if flow.last is not None and any(now < before for now, before in zip(counters, flow.last)):
            self._violation("counters", f"{counters} after {flow.last}; {flow}", where)
        if flow.counters is not None and any(now > last for now, last in zip(counters, flow.counters)):
            self._violation("counters", f"{counters} are more than at the end; {flow}", where)
        flow.last = counters

    def _gap(self, record, where):
        reason = record["reason"]
        self.records["gap " + reason] += 1
        end = records.microseconds(record["to"])
        if record.get("from") is None:
            self._violation("gap-bounds", "without a begin", where)
            return
        gap = Gap(reason, records.microseconds(record["from"]), end, record.get("lost"), where)
        if gap.begin >= gap.end or gap.end > self.clock + HORIZON:
            self._violation("gap-bounds", "", where)
        self._gaps.add(gap)
        if reason == "restart":
            self._run += 1
            while self._downs and self._downs[0][0] <= end:
                self._checkpoint = self._downs.popleft()[1]

    # ---- judgement

    def _judge(self, until):
        while self._limbo and self._limbo[0].destroy <= until:
            self._settle(self._limbo.popleft())

    def _settle(self, flow):
        self._forget(flow)
        if flow.complete():
            return
        if self._judge_from is not None and flow.new is not None and flow.new < self._judge_from:
            return
        begin = next(time for time in (flow.new, flow.begin, flow.destroy) if time is not None)
        if flow.new is not None and not flow.told:
            self._missed.append(flow.new)
            if not flow.started and not self._gaps.over(flow.new):
                self._violation("new-untold", str(flow))
        if flow.orphan is not None and not self._gaps.over(begin, reasons=SINK):
            self._violation("end-unknown", str(flow), flow.orphan)
        if self._judge_until is not None and flow.destroy > self._judge_until:
            return
        if not flow.exact:
            self._missed.append(flow.destroy)
            gap = self._gaps.over(flow.destroy)
            if gap is None:
                self._violation("end-inferred" if flow.ended else "destroy-untold", str(flow))
            elif flow.ids and not self._is_end_excused(flow.destroy, gap):
                self._violation("end-missing", f"{self._gap_text(gap)}; {flow}")
        elif flow.ids:
            self._violation("end-missing", str(flow))

    def _is_end_excused(self, destroy, gap):
        """A sink dropped the end that a resync found, or the service that knew the flow was gone: before the resync, or when the DESTROY was lost."""
        return self._gaps.over(destroy, gap.end + 10_000_000, (*SINK, "restart")) or self._gaps.over(destroy - FIRST_ROUND, destroy, ("restart",))

    def _forget(self, flow):
        for flow_id in flow.ids:
            self._ids.pop(flow_id, None)
        flows = self._by_key[flow.key]
        flows.remove(flow)
        if not flows:
            del self._by_key[flow.key]

    def finish(self, live_path=None):
        """The end of both: all that is left is judged. Beside `conntrack -L`'s lines the recorder itself is checked."""
        self._read_events(1 << 62)
        alive = [flow for flows in self._by_key.values() for flow in flows if flow.destroy is None and flow.new is not None]
        leaving = {flow.key for flow in self._limbo if self._judge_until is not None and flow.destroy > self._judge_until}
        self._judge(1 << 62)
        for flow in alive:
            if flow.new < (self._judge_from or 0) or (self._judge_until is not None and flow.new > self._judge_until):
                continue
            if not flow.told:
                self._missed.append(flow.new)
            if not flow.started and not self._gaps.over(flow.new, reasons=SINK):
                self._violation("live-untold", str(flow))
        self._compare_counts()
        if live_path is not None:
            with open(live_path, encoding="ascii") as file:
                listed = {records.key_of_listed(line) for line in file if line.strip()}
            known = {flow.key for flow in alive}
            listed -= leaving - known
            self.live = len(known)
            # Flows made while events were off are in the table, and the recorder cannot know of them.
            if known - listed or (listed - known and not self._windows):
                examples = [key.replace("\t", " ") for key in (*list(known - listed)[:3], *list(listed - known)[:3])]
                self.mismatch = f"the recorder has {len(known - listed)} live flows that the kernel has not, and lacks {len(listed - known)}: {examples}"

    def _compare_counts(self):
        """
        Where only overruns lie together, the events without a record of their own are those that the kernel refused. Where only a sink's gaps do, each of
        them is a change that the sink dropped, or was counted by a gap among those; it may have dropped others besides (updates, rows of a dump).
        """
        missed = sorted(self._missed)
        self.missed = len(missed)
        for cluster, end in self._gaps.clusters():
            if self._judge_until is not None and end > self._judge_until:
                continue  # events that late are not judged
            overrun = all(gap.reason == "overrun" for gap in cluster)
            if not overrun and not all(gap.reason in SINK for gap in cluster):
                continue
            if any(gap.lost is None for gap in cluster):
                continue  # among what was dropped is a gap of unknown extent
            lost = sum(gap.lost for gap in cluster)
            found = bisect.bisect_right(missed, end + 1) - bisect.bisect_left(missed, cluster[0].begin)
            self.exact_gaps += len(cluster) if overrun else 0
            if lost < found or (overrun and lost > found):
                bounds = f"from {records.written(cluster[0].begin)} to {records.written(end)}"
                self._violation("gap-count", f"{lost} lost, {found} events without a record of their own, in {len(cluster)} gaps {bounds}", cluster[0].where)

    def gap_seconds(self):
        return sum(end - cluster[0].begin for cluster, end in self._gaps.clusters()) / 1e6

    def _gap_text(self, gap):
        return f"gap {gap.reason} {records.written(gap.begin)} to {records.written(gap.end)}"

    def _violation(self, kind, text, where=None):
        self.violations[kind] += 1
        if self.violations[kind] > EXAMPLES:
            return
        lines = [f"{kind}: {KINDS[kind]}" + (f" ({text})" if text else "")]
        if where is not None:
            lines.append(f"  {where[0]}:{where[1]}: {where[2].rstrip()}")
        self._report(self.violations[kind], "\n".join(lines))


def _distance(flow, begin):
    """Between the time that a start record states and the flow's own; the first is that of its NEW or the kernel's start."""
    if flow.destroy is not None and begin > flow.destroy:
        return 1 << 62
    known = [time for time in (flow.new, flow.begin) if time is not None] or [flow.destroy]
    return min(abs(begin - time) for time in known)
