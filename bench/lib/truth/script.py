"""A made-up run that is right: what the recorder and the log say of a load with an overrun, a full disk, two restarts and a window without events."""

import datetime
import random

SECOND = 1_000_000
BEGIN = 1_800_000_000_000_000  # µs
OVERRUN, DISK, OVERRUN2, KILL, TERM, OFF = (
    (BEGIN + first * SECOND, BEGIN + last * SECOND) for first, last in ((20, 22), (40, 43), (45, 46), (60, 62), (80, 82), (100, 101)))
CHECKPOINT = BEGIN + 59 * SECOND  # the one before the kill -9
FLOWS, LASTING, TUPLES = 2000, 10, 250
STEP = 60_000  # µs between two flows; a tuple comes again after 15 s, and no flow lasts 10 s
SETTLE = SECOND // 2  # until a dump has told what a gap hid
LAST = (3, 84, 2, 56)  # counters of every DESTROY


def text(time):
    return datetime.datetime.fromtimestamp(time // SECOND, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % SECOND:06}Z"


class Script:
    def __init__(self):
        self._draw = random.Random(7)
        self._ids = 0
        self._timed_events, self._timed_records = [], []
        self._refused, self._dropped = {OVERRUN: 0, OVERRUN2: 0}, 0
        self.live = []  # lines of conntrack -L
        for number in range(FLOWS):
            self._flow(number, BEGIN + SECOND + number * STEP)
        gaps = [("overrun", bounds, lost) for bounds, lost in self._refused.items()]
        for reason, bounds, lost in (*gaps, ("sink_failed", DISK, self._dropped), ("restart", KILL, None), ("restart", TERM, None)):
            self._put(bounds[1], {"v": 1, "time": text(bounds[1]), "event": "gap", "reason": reason, "lost": lost, "from": text(bounds[0]), "to": text(bounds[1])}, 0)
        self.events = [line for _, line in sorted(self._timed_events, key=lambda entry: entry[0])]
        self.log = [record for *_, record in sorted(self._timed_records, key=lambda entry: entry[:2])]

    def _put(self, at, record, order=1):
        self._timed_records.append((at, order, record))

    def _new_id(self):
        self._ids += 1
        return f"01a223b2-cc2f-8f7a-8000-{self._ids:012x}"

    def _flow(self, number, time):
        port, begin, lasting = number % TUPLES, time + 3, number >= FLOWS - LASTING
        end = time + self._draw.randrange(SECOND, 9 * SECOND)
        flow = {"flow_id": self._new_id(), "ct_id": 1000 + port, "zone": 0, "proto": "udp", "proto_num": 17, "src": "10.0.0.1", "sport": port, "dst": "10.0.0.2",
                "dport": 53, "reply_src": "10.0.0.2", "reply_sport": 53, "reply_dst": "10.0.0.1", "reply_dport": port}

        def record(event, at, start, origin, counters=None):
            made = {"v": 1, "time": text(at), "event": event, **flow, "start": text(start), "origin": origin}
            return made | dict(zip(("tx_packets", "tx_bytes", "rx_packets", "rx_bytes"), counters or ()))

        if _within(time, OFF):
            self._put(OFF[1] + 1, record("start", begin, begin, "audit", (1, 28, 0, 0)))
            self._put(max(end, OFF[1] + 2), record("end", max(end, OFF[1] + 2), begin, "audit", (1, 28, 0, 0)))
            return
        self._kernel(time, begin, None if lasting else end, port)

        # The start: told by its event, found by a dump after the gap, seen only at its end, or never.
        gap = next((gap for gap in (OVERRUN, OVERRUN2, KILL, TERM) if _within(time, gap)), None)
        if gap is None:
            if _within(time, DISK):
                self._dropped += 1
            else:
                self._put(time, record("start", time, time, "event"))
        else:
            if gap in self._refused:
                self._refused[gap] += 1
            if end > gap[1] + SETTLE:
                self._put(gap[1] + SETTLE, record("start", begin, begin, "dump", (1, 28, 0, 0)))
            elif end > gap[1]:
                self._put(end, record("start", begin, begin, "event", LAST))

        # Over a restart it is announced again, under another id where the checkpoint does not have it.
        for restart in (KILL, TERM):
            if time < restart[0] and end > restart[1] + SETTLE:
                if restart is KILL and time >= CHECKPOINT:
                    flow["flow_id"] = self._new_id()
                self._put(restart[1] + SETTLE, record("start", begin, begin, "dump", (2, 56, 0, 0)))

        if lasting or _within(end, KILL) or _within(end, TERM):
            return
        overrun = next((bounds for bounds in self._refused if _within(end, bounds)), None)
        if overrun is not None:
            self._refused[overrun] += 1
            if gap is None:
                self._put(overrun[1] + SETTLE, record("end", overrun[1] + SETTLE, begin, "dump"))
        elif _within(end, DISK):
            self._dropped += 1
        else:
            self._put(end, record("end", end, begin, "event", LAST), 2)

    def _kernel(self, time, begin, end, port):
        key = f"{1000 + port}\t0\t17\t10.0.0.1\t{port}\t10.0.0.2\t53\t10.0.0.2\t53\t10.0.0.1\t{port}"
        self._timed_events.append((time, f"N\t{time * 1000 + 7}\t0\t0\t392\t0\t-\t-\t-\t-\t{key}"))
        if end is None:
            self.live.append(f"udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport={port} dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport={port} mark=0 use=1 id={1000 + port}\n")
        else:
            counters = "\t".join(map(str, LAST))
            self._timed_events.append((end, f"D\t{end * 1000 + 9}\t{begin * 1000 + 1}\t{end * 1000}\t904\t0\t{counters}\t{key}"))


def _within(time, gap):
    return gap[0] <= time <= gap[1]
