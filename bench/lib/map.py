"""An audit of a full eBPF map against a full table, and what a deletion costs: ours, the snapshot algorithm, and a C program that only reads."""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
from collections import Counter

from . import measure, namespace, readers, report, table

PROJECT = os.path.join(readers.BENCH, "MapCost")
PROGRAM = os.path.join(PROJECT, "bin/Release/net10.0/ConntrackStream.MapCost")
WARM_UP = 5  # audits: by then the runtime has compiled the hot path
TIMES = 5  # audits of a process
LIVE = 1000  # keys of live flows in the map that deletions are measured on
FEW = 1000  # deletions of the run whose system calls are taken off
DELETES = {"delete-ours": "conntrack-stream", "delete-snapshot": "snapshot algorithm"}


def run(args):
    subprocess.run(["dotnet", "build", "-c", "Release", "--nologo", "-v", "quiet", "-clp:ErrorsOnly", PROJECT], check=True)
    with namespace.created() as space, pinned() as pins:
        with table.raised(args.flows + args.flows // 8):  # only while they are made: what is in the table stays
            measure.storm(space, args.flows)
        audits = _audits(space, pins, args)
        deletes = {way: _deletes(space, pins, way, args) for way in DELETES}
    _publish(args, audits, deletes)


def _audits(space, pins, args):
    """One process of each way a round, one after the other."""
    full, part, stale = f"{pins}/full", f"{pins}/part", args.flows // 100
    _program(space, "fill", full, 2 * args.flows, args.flows, 0)
    _program(space, "fill", part, 2 * args.flows, args.flows, stale)
    rounds = []
    for number in range(1, args.rounds + 1):
        limit = _lines(namespace.run(*space.command(f"{readers.OUT}/mapdump", "--pin", full, "--times", TIMES)))
        rounds.append({
            "dump": [_part(line, "dump") for line in limit[:-1]],
            "scan": [_part(line, "scan") for line in limit[:-1]],
            "limit": [_both(line) for line in limit[:-1]] + [{"rest_kib": 0, **limit[-1]}],
            "ours": _checked(_program(space, "ours", full, WARM_UP, TIMES, 0), 0),
            "stale": _checked(_program(space, "ours", part, WARM_UP, TIMES, stale), stale),
            "snapshot": _checked(_program(space, "snapshot", full, 1, TIMES), 0),
        })
        print(f"round {number}: " + ", ".join(f"{name} {_median(lines, 'wall_ms'):.0f} ms" for name, lines in rounds[-1].items()), flush=True)
    return rounds


def _part(line, name):
    return {"wall_ms": line[f"{name}_wall_ms"], "cpu_ms": line[f"{name}_cpu_ms"]}


def _both(line):
    return {"wall_ms": line["dump_wall_ms"] + line["scan_wall_ms"], "cpu_ms": line["dump_cpu_ms"] + line["scan_cpu_ms"]}


def _deletes(space, pins, way, args):
    """Some runs, and the system calls of one deletion."""
    runs = []
    for number in range(1, args.rounds + 1):
        with _small_map(space, pins, args.deletes) as pin:
            runs += _program(space, way, pin, args.deletes)
        print(f"round {number}: {way} {runs[-1]['wall_us']:.1f} µs", flush=True)
    with _small_map(space, pins, args.deletes) as pin:
        return runs, _system_calls(space, way, pin, args.deletes)


@contextlib.contextmanager
def _small_map(space, pins, deletes):
    pin = f"{pins}/small"
    _program(space, "fill", pin, 8 * deletes, LIVE, 0)
    try:
        yield pin
    finally:
        os.unlink(pin)


@contextlib.contextmanager
def pinned():
    """A bpf file system of its own; what is pinned there goes with it."""
    with tempfile.TemporaryDirectory(prefix=f"cs-bpf-{os.getpid()}-") as directory:
        namespace.run("mount", "-t", "bpf", "bpf", directory)
        try:
            yield directory
        finally:
            namespace.run("umount", directory)


def _lines(text):
    return [json.loads(line) for line in text.splitlines()]


def _program(space, *arguments):
    return _lines(namespace.run(*space.command(PROGRAM, *arguments)))


def _checked(lines, stale):
    if any(line["missed"] != stale for line in lines[:-1]):
        raise SystemExit(f"an audit missed other than the {stale} stale entries: {lines}")
    return lines


def _system_calls(space, way, pin, count):
    """System calls a deletion, by name: those of a run with many less those of one with few. Counted apart, since counting costs time."""
    counts = [_count(space, way, pin, many) for many in (FEW, count)]
    each = {name: (counts[1][name] - counts[0][name]) / (count - FEW) for name in counts[1]}
    each["bpf"] -= 1  # that made the entry
    return {name: calls for name, calls in each.items() if calls >= 0.05}


def _count(space, way, pin, count):
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as summary:
        namespace.run(*space.command("strace", "-f", "-c", "-U", "name,calls", "-o", summary.name, PROGRAM, way, pin, count))
        rows = [line.split() for line in summary]
        return Counter({row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] != "total"})


def _median(lines, field):
    return statistics.median(line[field] for line in lines if field in line)


def _over(rounds, way, field):
    """Median over the rounds of the median in each."""
    return statistics.median(_median(entry[way], field) for entry in rounds)


def _ratio(rounds, way, field):
    return statistics.median(_median(entry[way], field) / _median(entry["limit"], field) for entry in rounds)


def _audit_row(title, rounds, way):
    memory = [entry[way][-1] for entry in rounds]
    beyond, peak = "", ""
    if "peak_kib" in memory[0]:
        peak = f"{statistics.median(line['peak_kib'] for line in memory) / 1024:.0f}"
        beyond = f"{statistics.median(line['peak_kib'] - line['rest_kib'] for line in memory) / 1024:.0f}" if way != "limit" else ""
    return (title, f"{_over(rounds, way, 'wall_ms'):,.0f}", f"{_over(rounds, way, 'cpu_ms'):,.0f}", f"{_ratio(rounds, way, 'wall_ms'):.2f}",
            f"{_ratio(rounds, way, 'cpu_ms'):.2f}", beyond, peak)


def _delete_row(title, runs, calls):
    return (title, f"{_median(runs, 'wall_us'):.1f}", f"{_median(runs, 'cpu_us'):.1f}", f"{sum(calls.values()):.2f}",
            ", ".join(f"{name} {each:.2f}" for name, each in sorted(calls.items(), key=lambda item: -item[1])))


def _publish(args, rounds, deletes):
    stale = args.flows // 100
    body = report.table(
        ("", "wall ms", "CPU ms", "wall, of the limit", "CPU, of the limit", "peak MiB beyond rest", "peak MiB in all"),
        [_audit_row("C: dump of the table, discarded", rounds, "dump"),
         _audit_row("C: scan of the map, discarded", rounds, "scan"),
         _audit_row("C: both (the limit)", rounds, "limit"),
         _audit_row("conntrack-stream: audit of view and map", rounds, "ours"),
         _audit_row(f"the same, {stale:,} entries of the map stale", rounds, "stale"),
         _audit_row("snapshot algorithm: copy, dump, compare", rounds, "snapshot")])
    body += (f"\n{args.flows:,} IPv4 UDP flows in the table; as many entries in a map of layout aws-npa-ipv4-key24-value1 (max_entries {2 * args.flows:,}: "
             "an LRU map evicts before it is full), one for each flow. Medians over "
             f"{len(rounds)} rounds of the medians of {TIMES} audits after {WARM_UP} to warm up, ratios to the limit of the same round, the ways one "
             "after the other in each round. Ours: a full round of the live view (dump, merged row by row, settled), then every key of the map looked up "
             f"in it; the view's part takes {_over(rounds, 'ours', 'table_ms'):,.0f} ms, the map's {_over(rounds, 'ours', 'map_ms'):,.0f} ms. At rest it holds the view, which the "
             "snapshot algorithm does not have; that one holds a copy of the map and the keys derived from the dump instead, while it runs. "
             "It is the agent's own, written in the same language over the same map and netlink code; its copy and its comparison are two runs, here one "
             "after the other.\n\n")
    body += report.table(
        ("a deletion", "µs wall", "µs CPU", "system calls", "which"),
        [_delete_row(title, *deletes[way]) for way, title in DELETES.items()])
    body += (f"\n{args.deletes:,} stale entries deleted at once, beside {LIVE:,} live ones, the table as full as above. Ours: look-up, GET of both orientations, "
             "lookup-and-delete, GET again, and once more at the end of the window in which the entry can be put back; grace and window are waiting and not in "
             "the wall time; the record of its evidence is made, and its text discarded. The snapshot algorithm: comparison with the dump it has made "
             "before, and lookup-and-delete. System calls: of all threads, by strace in a run of its own, the difference of "
             f"{args.deletes:,} and {FEW:,} deletions.\n")
    report.publish("map", f"Map audit: {args.flows:,} entries against as many flows", body, args.save)
