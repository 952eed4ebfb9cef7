"""Reclassification: new flows of a gateway beside sets of what belongs where; and seed 004's way, a tool spawned for each flow."""

import contextlib
import http.client
import json
import os
import resource
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass

from . import gateway, measure, process, readers, report, service, table

MIB = 2**20
WARM_UP = 3  # seconds of the storm
REST = 10  # seconds
LOOKS = gateway.LIFETIME + 1  # seconds until a flow is looked at for the last time, and ends
IPSETS, NFT_SETS, FEW_IPSETS = "ipset:app_{}", "nft:inet/apps/app_{}", "ipset:few_{}"
_VIEW = (readers.OURS, "run", "--set", f"Tap:ReceiveBufferBytes={readers.BUFFER}", "--set", "State:Directory={directory}/state",
         "--set", "Api:Socket={directory}/api.sock", "--set", "FlowLog:Enabled=false")


def _reclassifying(sets):
    settings = ["Reclassify:Enabled=true"]
    settings += [f"Reclassify:Paths:{i}=wan{i + 1} mark={0x100 * (i + 1):#x}/0x3f00 dev=wan{i + 1}" for i in range(2)]
    settings += [f"Reclassify:Sets:{i}={sets.format(i)}={gateway.path(i)}" for i in range(gateway.SETS)]
    return (*_VIEW, *(part for setting in settings for part in ("--set", setting)))


ROWS = {
    "limit": (readers.READERS["limit"], 0),
    "view": (readers.Reader("view", "conntrack-stream, decode + live view", _VIEW), 0),
    "few": (readers.Reader("few", f"the same, + reclassification, 16 ipsets of {gateway.FEW}", _reclassifying(FEW_IPSETS)), gateway.FEW),
    "ipset": (readers.Reader("ipset", f"… 16 ipsets of {gateway.MANY:,}", _reclassifying(IPSETS)), gateway.MANY),
    "nft": (readers.Reader("nft", f"… 16 nftables sets of {gateway.MANY:,}", _reclassifying(NFT_SETS)), gateway.MANY),
}

SEED = {  # name: (title, what it asks how many sets, flows a second that it bears)
    "test16": ("`ipset test`, set after set until one has it, of 16", ("test", 16), 10),
    "test1": ("`ipset test` of one set", ("test", 1), 100),
    "list1": ("`ipset list \\| grep` of one set", ("list", 1), 2),
}


@dataclass(frozen=True)
class Result:
    events: int
    lost: int
    dropped: int  # changes that did not fit the sink's queue
    cpu: float  # seconds, from the storm's begin until its last flow has ended
    wall: float
    rest: float  # CPU seconds a second before it
    memory: int  # VmRSS after the warm-up, bytes
    peak: int
    figures: dict  # what its counters grew by
    sets: list  # as the classifiers say


def run(args):
    service.build()
    names = list(dict.fromkeys(["limit", *args.rows, "ipset"]))
    results, seed = {name: [] for name in names}, {name: [] for name in args.ways}
    with gateway.created() as space:
        gateway.make_ipsets(space, "app", gateway.MANY)
        gateway.make_ipsets(space, "few", gateway.FEW)
        if "nft" in names:
            gateway.make_nft_sets(space, "app", gateway.MANY)
        for number in range(1, args.rounds + 1):
            for name in names:
                result = _one(space, *ROWS[name], args)
                results[name].append(result)
                print(f"round {number}: {name}: {result.cpu / result.events * 1e6:.2f} µs an event, lost {result.lost}, dropped {result.dropped}, "
                      f"at rest {100 * result.rest:.1f} %, {result.memory / MIB:.0f} MiB, peak {result.peak / MIB:.0f}, {result.figures}, {result.sets}", flush=True)
            for name in args.ways:
                seed[name].append(_seed(space, *SEED[name][1:], args.seconds))
                print(f"round {number}: {name}: {seed[name][-1] * 1e3:.2f} ms a flow", flush=True)
    _publish(args, results, seed)
    return 0


def _one(space, reader, entries, args):
    with table.raised(args.rate * (gateway.LIFETIME + 4) + 10_000), measure.scratch(reader.name) as directory, \
            gateway.expiry(space), measure.running(space, reader, directory, rests=not entries) as program:
        api = f"{directory}/api.sock"
        if entries:
            _wait_for(lambda: os.path.exists(api), "opening its interface")
            _wait_for(lambda: f"{gateway.SETS} sets, {gateway.SETS * entries:,} members" in _status(api)["reclassify"]["classifiers"][0]["text"], "reading the sets")
        _storm(space, args.rate * WARM_UP, args)
        _drain(program)
        memory, before = program.memory("VmRSS"), program.cpu_seconds()
        time.sleep(REST)
        rest = (program.cpu_seconds() - before) / REST
        was, lost, began, before = _figures(api), program.event_socket()[1], time.monotonic(), program.cpu_seconds()
        _storm(space, args.rate * args.seconds, args)
        _drain(program)
        cpu, wall, now = program.cpu_seconds() - before, time.monotonic() - began, _figures(api)
        lost, peak, sets = program.event_socket()[1] - lost, program.memory("VmHWM"), _sets(api)
        exit_code = program.stop()
        if exit_code != 0:
            raise process.ReaderFailed(f"stopped, it answered with exit code {exit_code}")
        sent = 2 * args.rate * args.seconds
        if reader.counts and (seen := sum(reader.counts(directory))) != sent + 2 * args.rate * WARM_UP:
            raise SystemExit(f"the storm made other flows than it should: {seen} events")
    grown = {name: now[name] - was[name] for name in now}
    return Result(sent, lost, grown.pop("dropped", 0), cpu, wall, rest, memory, peak, grown, sets)


def _storm(space, count, args):
    measure.storm(space, count, "--rate", args.rate, "--destinations", args.destinations, "--ending")


def _drain(program):
    """Until the last flow has been looked at and ended."""
    time.sleep(LOOKS)
    _wait_for(lambda: program.event_socket()[0] == 0, "taking the last events")


def _wait_for(condition, what, timeout=120):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise process.ReaderFailed(f"{what} took more than {timeout} s")
        time.sleep(0.1)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def _status(path):
    with contextlib.closing(_Connection(path)) as connection:
        connection.request("GET", "/v1/status")
        return json.load(connection.getresponse())


def _figures(path):
    """Counters that the table tells; none of a reader without the interface."""
    if not os.path.exists(path):
        return {}
    status = _status(path)
    figures = {"dropped": sum(sink["dropped"] for sink in status["sinks"]), "new": status["tap"]["new"]}
    if own := status["reclassify"]:
        figures |= {name: own[name] for name in ("looks", "questions", "misplaced", "remarked", "rechecks_refused", "sweeps")}
        figures["limited"] = own["refused"]["rate_limit"]
        figures["refused"] = sum(own["refused"].values()) - figures["limited"]
    return figures


def _sets(path):
    own = _status(path)["reclassify"] if os.path.exists(path) else None
    return [classifier["text"] for classifier in own["classifiers"]] if own else []


def _seed(space, question, rate, seconds):
    """CPU seconds a flow of the loop, the tools it spawns and conntrack -E."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    with measure.scratch("seed") as directory, open(f"{directory}/out", "wb") as out:
        loop = subprocess.Popen(space.command(f"{readers.BENCH}/seed004.sh", *question), stdout=out, stderr=subprocess.DEVNULL)
        time.sleep(1)
        count, before = rate * seconds, spent()
        measure.storm(space, count, "--rate", rate, "--destinations", rate, "--ending")
        generator = spent() - before
        _wait_for(lambda: readers.occurrences(f"{directory}/out", b"\n")[0] >= count, "asking about the last flow")
        events = int(subprocess.run(["pgrep", "-P", str(loop.pid), "-x", "conntrack"], stdout=subprocess.PIPE, check=True).stdout)
        os.kill(events, 15)  # the loop ends with its input
        loop.wait()
        space.flush()
        return (spent() - before - generator) / count


def _median(results, value):
    return statistics.median(value(result) for result in results)


def _row(title, results, limits):
    ratios = [result.cpu / limit.cpu for result, limit in zip(results, limits)]
    costs = [result.cpu / result.events * 1e6 for result in results]
    own = results[0].figures
    counted = [f"{_median(results, lambda r: r.figures[name]):,.0f}" if name in own else "" for name in ("looks", "questions", "misplaced", "remarked")]
    return (title, f"{_median(results, lambda r: r.lost):,.0f}", f"{_median(results, lambda r: r.dropped):,.0f}" if own else "",
            f"{statistics.median(costs):.2f}", f"{min(costs):.2f} to {max(costs):.2f}", f"{statistics.median(ratios):.2f}",
            f"{100 * _median(results, lambda r: r.cpu / r.wall):.0f}", f"{100 * _median(results, lambda r: r.rest):.1f}", *counted,
            f"{_median(results, lambda r: r.memory) / MIB:.0f}", f"{_median(results, lambda r: r.peak) / MIB:.0f}")


def _publish(args, results, seed):
    limits = results["limit"]
    body = report.table(
        ("reader", "events lost", "dropped before the sink", "CPU µs an event", "least to most", "of the limit", "CPU %", "before the storm, %", "looks", "questions",
         "misplaced", "would re-mark", "resident MiB", "peak"),
        [_row(ROWS[name][0].title, results[name], limits) for name in results])
    body += (f"\n{args.rate:,} new UDP flows a second for {args.seconds} s to {args.destinations:,} destinations a second, others in each second; every flow lasts "
             f"{gateway.LIFETIME} s and ends, so that there are {limits[0].events:,} events. Each 200th destination is in a set of the other uplink, and each "
             "200th in one of its own. Dry run, 50 decisions a second at most; sets of hash:ip or ipv4_addr with timeouts; "
             f"looks at 0, 0.5, 2 and 5 s. Before it, {WARM_UP} s of the same to warm up. Medians of {len(limits)} rounds. CPU: user and system of all its threads from the "
             "storm's begin until the last flow has ended, what it reads of the sets meanwhile included; before the storm: the same at rest. Lost: deliveries the kernel "
             "refused the event socket.\n\n")
    ours = statistics.median(2 * result.cpu / result.events for result in results["ipset"])
    rows = [(SEED[name][0], SEED[name][2], f"{statistics.median(costs) * 1e3:,.2f}", f"{statistics.median(costs) / ours:,.0f}", f"{1 / statistics.median(costs):,.0f}",
             f"{statistics.median(costs) * args.rate:,.0f}") for name, costs in seed.items()]
    rows.append(("conntrack-stream, 16 ipsets", f"{args.rate:,}", f"{ours * 1e3:.4f}", "1", f"{1 / ours:,.0f}", f"{ours * args.rate:.2f}"))
    body += report.table(("a tool spawned for each flow", "flows/s here", "CPU ms a flow", "of ours", "flows/s a processor", f"processors at {args.rate:,} flows/s"), rows)
    body += (f"\nSeed 004's way: `conntrack -E -e NEW` into a shell loop that asks once for each flow (`seed004.sh`), sets of {gateway.MANY:,}; it says what it would "
             "delete. CPU of the loop, conntrack and every process spawned. Ours: a flow's NEW, its looks and its DESTROY.\n")
    report.publish("reclassify", "Reclassification", body, args.save)
