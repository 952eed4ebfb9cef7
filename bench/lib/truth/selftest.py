"""Plants one violation at a time in a made-up run that is right (script.py), and expects the checker to find it, and nothing where nothing was planted."""

import copy
import json
import tempfile

from . import records, script
from .checker import KINDS, Checker

SECOND = script.SECOND
CALM = script.BEGIN + 30 * SECOND  # in no gap, nor are the ten seconds after it


class Run:
    """A copy of the script's run, to spoil."""

    def __init__(self, right):
        self.events, self.live = list(right.events), list(right.live)
        self.log = copy.deepcopy(right.log)
        self.window = True
        self.stop = None  # (from, to): the service was stopped
        self.quiet = None  # from here on nothing is judged

    def find(self, event, after=CALM, **fields):
        return next(record for record in self.log
                    if record["event"] == event and time_of(record) >= after and all(record.get(name) == value for name, value in fields.items()))

    def pair(self, after=CALM):
        start = self.find("start", after)
        return start, self.find("end", after, flow_id=start["flow_id"])

    def remove(self, *gone):
        self.log = [record for record in self.log if not any(record is one for one in gone)]

    def insert(self, after, record):
        self.log.insert(next(at for at, one in enumerate(self.log) if one is after) + 1, record)

    def check(self, directory):
        path = f"{directory}/live"
        with open(path, "w", encoding="ascii") as file:
            file.writelines(self.live)
        chunks = iter([self.events])
        checker = Checker(lambda: next(chunks, None))
        entries = [{"what": "begin", "at": script.BEGIN}, {"what": "down", "at": script.KILL[0], "checkpoint": script.CHECKPOINT},
                   {"what": "down", "at": script.TERM[0], "checkpoint": script.TERM[0]}]
        if self.stop:
            entries.insert(1, {"what": "fault", "name": "stop", "at": self.stop[0], "until": self.stop[1]})
        if self.quiet:
            entries.append({"what": "quiet", "at": self.quiet})
        if self.window:
            entries.append({"what": "window", "from": script.OFF[0], "to": script.OFF[1]})
        with open(f"{directory}/log", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" if isinstance(record, dict) else record for record in self.log)
        checker.follow([*entries, {"what": "log", "path": f"{directory}/log", "name": "log"}, {"what": "live", "path": path}, {"what": "end"}])
        return checker


def time_of(record):
    return records.microseconds(record["time"])


def moved(time, by):
    return script.text(records.microseconds(time) + by)


def both_dropped(run):
    run.remove(*run.pair())


def start_dropped(run):
    run.remove(run.find("start"))


def end_dropped(run):
    run.remove(run.pair()[1])


def end_late(run):
    run.pair()[1]["time"] = moved(run.pair()[1]["time"], SECOND)


def end_early(run):
    end = run.pair()[1]
    end["time"] = moved(end["time"], -SECOND // 2)


def start_doubled(run):
    start = run.find("start")
    run.insert(start, dict(start))


def end_doubled(run):
    end = run.find("end")
    run.insert(end, dict(end))


def start_with_two_ids(run):
    start = run.find("start")
    run.insert(start, start | {"flow_id": "01a223b2-cc2f-8f7a-8000-ffffffffffff"})


def ids_exchanged(run):
    first, second = run.pair(), run.pair(CALM + SECOND)
    first[1]["flow_id"], second[1]["flow_id"] = second[1]["flow_id"], first[1]["flow_id"]


def id_used_again(run):
    first, second = run.pair(), run.pair(CALM + 12 * SECOND)
    for record in second:
        record["flow_id"] = first[0]["flow_id"]


def id_lost_over_restart(run):
    _other_id_after(run, script.TERM, script.TERM[0])


def id_lost_over_kill(run):
    _other_id_after(run, script.KILL, script.CHECKPOINT)


def _other_id_after(run, restart, checkpoint):
    """Of a flow that was in the checkpoint."""
    at = next(at for at, record in enumerate(run.log) if record["event"] == "gap" and record["to"] == script.text(restart[1]))
    found = next(record for record in run.log[at:] if record["event"] == "start" and record["origin"] == "dump" and time_of(record) < checkpoint - 2_200_000)
    old = found["flow_id"]
    for record in run.log[at:]:
        if record.get("flow_id") == old:
            record["flow_id"] = "01a223b2-cc2f-8f7a-8000-eeeeeeeeeeee"
    return found


def id_of_a_flow_that_began_in_a_stop(run):
    """The checkpoint just after the stop does not have it: it was still to be read."""
    run.stop = time_of(_other_id_after(run, script.KILL, script.CHECKPOINT)) - SECOND, script.CHECKPOINT - SECOND


def gap_count_off_beyond_what_is_judged(run):
    gap = run.find("gap", script.BEGIN, reason="overrun")
    gap["lost"] -= 1
    run.quiet = records.microseconds(gap["from"]) - SECOND


def other_flow(run):
    run.find("start")["ct_id"] += 1


def other_incarnation(run):
    """The stranger's DESTROY ends the row: 15 s later the same tuple has ended again, told under the first one's id."""
    start, end = run.pair()
    later_end = run.find("end", time_of(end) + SECOND, sport=start["sport"])
    later_start = run.find("start", time_of(end), flow_id=later_end["flow_id"])
    later_end["flow_id"] = start["flow_id"]
    run.remove(end, later_start)


def counters_differ(run):
    run.pair()[1]["tx_bytes"] -= 1


def counters_fall(run):
    start = run.find("start")
    update = start | {"event": "update", "tx_packets": 2, "tx_bytes": 60, "rx_packets": 0, "rx_bytes": 0}
    run.insert(start, update)
    run.insert(update, update | {"tx_bytes": 59})


def start_time_differs(run):
    run.pair()[1]["start"] = moved(run.pair()[1]["start"], 2)


def update_of_nobody(run):
    start = run.find("start")
    run.insert(start, start | {"event": "update", "flow_id": "01a223b2-cc2f-8f7a-8000-dddddddddddd"})


def gap_count_off(run):
    run.find("gap", script.BEGIN, reason="overrun")["lost"] += 1


def sink_gap_count_off(run):
    run.find("gap", script.BEGIN, reason="sink_failed")["lost"] -= 1


def gap_shifted(run):
    gap = run.find("gap", script.BEGIN, reason="overrun")
    gap["from"] = moved(gap["from"], SECOND // 2)


def gap_dropped(run):
    run.remove(run.find("gap", script.BEGIN, reason="sink_failed"))


def restart_gap_short(run):
    gap = run.find("gap", script.BEGIN, reason="restart")
    gap["to"] = moved(gap["to"], -SECOND // 2)


def gap_turned_round(run):
    gap = run.find("gap", script.BEGIN, reason="overrun")
    gap["from"], gap["to"] = gap["to"], gap["from"]


def live_one_dropped(run):
    port = int(run.live[3].split("sport=")[1].split()[0])
    run.remove(next(record for record in reversed(run.log) if record["event"] == "start" and record["sport"] == port))


def live_one_ended(run):
    port = int(run.live[3].split("sport=")[1].split()[0])
    start = next(record for record in reversed(run.log) if record["event"] == "start" and record["sport"] == port)
    run.insert(start, start | {"event": "end", "time": moved(start["time"], SECOND), "origin": "audit"})


def overrun_end_missing(run):
    run.remove(next(record for record in run.log if record["event"] == "end" and record["origin"] == "dump"))


def events_were_on(run):
    run.window = False


def torn(run):
    run.insert(run.find("end"), '{"v":1,"time":"2027')


PLANTS = {
    both_dropped: {"new-untold", "destroy-untold"}, start_dropped: {"end-unknown"}, end_dropped: {"destroy-untold"}, end_late: {"end-inferred"},
    end_early: {"end-alive"}, start_doubled: {"start-twice"}, end_doubled: {"end-twice"}, start_with_two_ids: {"id-split"}, ids_exchanged: {"id-reused"},
    id_used_again: {"id-reused"}, id_lost_over_restart: {"id-lost"}, id_lost_over_kill: {"id-lost"}, other_flow: {"start-unknown"}, other_incarnation: {"id-reused"},
    counters_differ: {"counters"}, counters_fall: {"counters"}, start_time_differs: {"times"}, update_of_nobody: {"update-unknown"},
    gap_count_off: {"gap-count"}, sink_gap_count_off: {"gap-count"}, gap_shifted: {"end-inferred", "gap-count"}, gap_dropped: {"new-untold", "destroy-untold", "end-unknown"},
    restart_gap_short: {"destroy-untold"}, gap_turned_round: {"gap-bounds"}, live_one_dropped: {"live-untold"}, live_one_ended: {"end-alive"},
    overrun_end_missing: {"end-missing"}, events_were_on: {"start-unknown"}, torn: {"malformed"},
}

HARMLESS = (id_of_a_flow_that_began_in_a_stop, gap_count_off_beyond_what_is_judged)


def flow_missing_in_the_table(run):
    run.live.pop()


def run(verbose):
    right = script.Script()
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        def expect(name, spoil, kinds, mismatch=False):
            nonlocal failures
            trial = Run(right)
            if spoil is not None:
                spoil(trial)
            checker = trial.check(directory)
            found = {kind for kind, count in checker.violations.items() if count}
            good = kinds <= found if kinds else not found or mismatch
            good = good and (checker.mismatch is not None) == mismatch
            failures += not good
            if good and not verbose:
                return
            print(f"{'ok  ' if good else 'FAIL'} {name}: {', '.join(f'{count} {kind}' for kind, count in checker.violations.items()) or 'no violation'}"
                  f"{', void: ' + checker.mismatch if checker.mismatch else ''}{'' if good else ', expected ' + (', '.join(kinds) or 'none')}")

        expect("nothing", None, set())
        for plant, kinds in PLANTS.items():
            expect(plant.__name__.replace("_", " "), plant, kinds)
        for plant in HARMLESS:
            expect(plant.__name__.replace("_", " "), plant, set())
        expect("flow missing in the table", flow_missing_in_the_table, set(), mismatch=True)
    untested = set(KINDS) - set().union(*PLANTS.values()) - {"program"}
    print(f"self-test: {len(PLANTS) + len(HARMLESS) + 1} plants, {failures} not judged as expected" + (f"; no plant for {', '.join(untested)}" if untested else ""))
    return 1 if failures or untested else 0
