"""The table of a run, and its exit code."""

import json
import os

from .. import report
from .checker import KINDS

EXPLANATION = """
The recorder (`c/recorder.c`) is a second subscriber of the kernel's events that shares no code with the service; what it lost itself is the kernel's count.
*Missed* are events without a record of their own: all lie within gap records, and where only overruns lie together, their number is the number of
deliveries that the gap records say were refused. `bench/truth --self-test` plants each kind of violation and expects it to be found.
"""


def publish(args, run, directory):
    path = f"{directory}/result.json"
    if not os.path.exists(path):
        print("bench/truth: void: the checker did not finish")
        return 2
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    void = _void(run, found)
    if void:
        print(f"bench/truth: void: {void}")
        return 2
    rows = [("duration, minutes", f"{run.seconds / 60:.1f}"), ("seed", args.seed),
            ("new flows a second, over the whole run", f"{found['new'] / max(1, run.traffic_result['seconds']):,.0f}"),
            ("NEW, DESTROY seen by the recorder", f"{found['new']:,}, {found['destroy']:,}"), ("lost by the recorder", run.recorder_result["lost"]),
            ("start, end, update records", ", ".join(f"{found['by event'].get(kind, 0):,}" for kind in ("start", "end", "update"))),
            ("flows alive at the end", f"{found['live']:,}"),
            *((f"fault: {name}", count) for name, count in sorted(run.faults.items())), ("faults", sum(run.faults.values())),
            *((f"gap: {reason}", count) for reason, count in sorted(found["gaps by reason"].items())),
            ("seconds within gaps", f"{found['gap seconds']:.1f}"), ("events missed, all in gaps" if not found["violations"] else "events missed", f"{found['missed']:,}"),
            ("gaps whose count was compared", found["exact gaps"]),
            *((f"violation: {KINDS[kind]}", count) for kind, count in sorted(found["kinds"].items())), ("**violations**", f"**{found['violations']:,}**")]
    report.publish("truth", f"The flow log beside an independent recorder, {args.rate:,} new flows a second, random faults",
                   report.table(("what", "found"), rows) + EXPLANATION, args.save)
    return 1 if found["violations"] else 0


def _void(run, found):
    recorder = run.recorder_result
    if recorder["lost"]:
        return f"the recorder lost {recorder['lost']:,} events: the machine is too slow for this rate"
    if recorder["untimed"]:
        return "the kernel states no event times: Linux 6.14 with nf_conntrack_timestamp is needed"
    if recorder["malformed"]:
        return f"the recorder did not understand {recorder['malformed']:,} messages"
    return found["mismatch"]
