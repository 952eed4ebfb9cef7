"""Records to NATS JetStream, Kafka and IPFIX collectors, and back from a stream, beside the JSON file."""

import contextlib
import glob
import json
import os
import statistics
import subprocess
import time

from . import engine, measure, namespace, process, readers, report, table

PROJECT = os.path.join(readers.BENCH, "FleetCost")
PROGRAM = os.path.join(PROJECT, "bin/Release/net10.0/ConntrackStream.FleetCost")
UDP, TCP = (f"{scheme}://127.0.0.1:{engine.COLLECTOR_PORT}" for scheme in ("udp", "tcp"))


def nats(args):
    with _engines() as (space, directory):
        storms, alone, server_cpu = {"view": [], "json": [], "nats": []}, {"json": [], "nats": []}, []
        for number in range(1, args.rounds + 1):
            with _server(space, directory) as server:
                _storms(space, number, storms, args)
                alone["json"].append(_alone("json", directory, args.records))
                before = server.cpu_seconds()
                alone["nats"].append(_alone("nats", directory, args.records, engine.URL, space=space))
                server_cpu.append((server.cpu_seconds() - before) * 1e6 / alone["nats"][-1]["all"])
                _say(number, alone)
    body = _storm_table(storms, args) + "\n" + _alone_table(alone, {"json": "JSON file", "nats": "NATS JetStream, acknowledged"})
    body += _alone_note(args, f"The nats-server, one with file storage, took {statistics.median(server_cpu):.2f} µs a record on the same CPUs")
    report.publish(f"nats{'-paced' if args.rate else ''}", "Records to NATS JetStream beside the JSON file", body, args.save)


def kafka(args):
    """The sink alone: the plug-in is not part of the native build."""
    with _engines() as (space, directory):
        alone, broker_cpu = {"json": [], "nats": [], "kafka": []}, []
        for number in range(1, args.rounds + 1):
            alone["json"].append(_alone("json", directory, args.records))
            with _server(space, directory):
                alone["nats"].append(_alone("nats", directory, args.records, engine.URL, space=space))
            with engine.kafka_broker(space, PROGRAM) as (broker, address):
                before = broker.cpu_seconds()
                alone["kafka"].append(_alone("kafka", directory, args.records, address, space=space))
                broker_cpu.append((broker.cpu_seconds() - before) * 1e6 / alone["kafka"][-1]["all"])
            _say(number, alone)
    body = _alone_table(alone, {"json": "JSON file", "nats": "NATS JetStream, acknowledged", "kafka": "Kafka (librdkafka's mock broker), acknowledged"})
    body += _alone_note(args, "No broker of Apache Kafka was to be had: the mock is librdkafka's, in a process of its own, which keeps messages in memory and "
                        f"has no replicas. It took {statistics.median(broker_cpu):.2f} µs a record on the same CPUs")
    report.publish("kafka", "Records to Kafka beside NATS JetStream and the JSON file", body, args.save)


def ipfix(args):
    with _engines() as (space, directory):
        storms, alone, received = {"view": [], "json": [], "ipfix": []}, {"json": [], "udp": [], "tcp": []}, []
        for number in range(1, args.rounds + 1):
            with engine.collector(space):
                _storms(space, number, storms, args)
            alone["json"].append(_alone("json", directory, args.records))
            with engine.collector(space) as end:
                alone["udp"].append(_alone("ipfix", UDP, args.records, space=space))
                received.append((end(), alone["udp"][-1]["messages"]))
            with engine.collector(space):
                alone["tcp"].append(_alone("ipfix", TCP, args.records, space=space))
            _say(number, alone)
    body = _storm_table(storms, args) + "\n" + _alone_table(
        alone, {"json": "JSON file", "udp": "IPFIX, UDP to a local collector", "tcp": "IPFIX, TCP to a local collector"})
    lost = sum(sent - got for got, sent in received)
    body += _alone_note(args, f"The collector counts datagrams and does nothing else; of {sum(sent for _, sent in received):,} it missed {lost:,}")
    report.publish(f"ipfix{'-paced' if args.rate else ''}", "Records to an IPFIX collector beside the JSON file", body, args.save)


def collect(args):
    with _engines() as (space, directory):
        alone = {"json": [], "collect": [], "nats": []}
        for number in range(1, args.rounds + 1):
            with _server(space, directory) as server:
                alone["nats"].append(_alone("nats", directory, args.records, engine.URL, space=space))
                alone["json"].append(_alone("json", directory, args.records))
                alone["collect"].append(_collect(space, directory, server, alone["nats"][-1]["all"]))
                _say(number, alone)
    server_cpu = statistics.median(run["server_ms"] * 1000 / run["records"] for run in alone["collect"])
    body = _alone_table(alone, {"json": "JSON file", "collect": "collect: from the stream to the host's file"})
    body += _alone_note(args, f"The nats-server took {server_cpu:.2f} µs a record to deliver them, on the same CPUs. `collect` is the native "
                        f"program; its start is in its figures, which are of {alone['nats'][0]['all']:,} records")
    report.publish("collect", "A stream into the files of its hosts", body, args.save)


def publishers(args):
    """Many nodes in one process; then one collector."""
    rows = []
    with _engines() as (space, directory):
        for rate in args.rates:
            with _server(space, directory) as server:
                before = server.cpu_seconds()
                nodes = _alone("publishers", directory, args.hosts, str(rate), str(args.seconds), engine.URL, space=space)
                cpu, peak = server.cpu_seconds() - before, server.peak_memory()
                used = _collect(space, directory, server, nodes["records"])
                rows.append((f"{args.hosts * rate:,}", f"{_rate(nodes):,.0f}", f"{nodes['drain_ms'] / 1000:.1f}", f"{_cost(nodes):.2f}",
                             f"{nodes['peak_kib'] / 1024:.0f}", f"{cpu * 1e6 / nodes['records']:.2f}", f"{peak / 2**20:.0f}",
                             f"{_rate(used):,.0f}", f"{_cost(used):.2f}", f"{used['peak_kib'] / 1024:.0f}"))
                print(*rows[-1], flush=True)
    body = report.table(("records a second, fed", "acknowledged", "seconds to drain", "nodes: CPU µs a record", "nodes: peak MiB", "server: CPU µs a record",
                         "server: peak MiB", "collect: records a second", "collect: CPU µs a record", "collect: peak MiB"), rows)
    body += (f"\n{args.hosts} nodes in one process (`FleetCost/`, JIT), each with its own sink, connection, spool and sequence, for {args.seconds} s; one nats-server "
             "with file storage; all on the same CPUs. Each node writes ten times a second. Then one native `collect` reads the stream from its beginning "
             f"and writes {args.hosts} files.\n")
    report.publish("publishers", f"{args.hosts} nodes on one server", body, args.save)


@contextlib.contextmanager
def _engines():
    subprocess.run(["dotnet", "build", "-c", "Release", "--nologo", "-v", "quiet", "-clp:ErrorsOnly", PROJECT], check=True)
    with namespace.created() as space, measure.scratch("fleet") as directory:
        namespace.run(*space.command("nft", "-f", "-"), input=engine.RULES)
        yield space, directory


@contextlib.contextmanager
def _server(space, directory):
    """A fresh one, with a stream."""
    own = f"{directory}/server"
    os.mkdir(own)
    try:
        with engine.nats_server(space, own) as server:
            _run_collect(space, own)
            yield server
    finally:
        subprocess.run(["rm", "-r", own], check=True)


def _run_collect(space, directory):
    """Makes the stream if there is none, and reads what there is. Returns what it used."""
    os.makedirs(f"{directory}/collected", exist_ok=True)
    began = time.monotonic()
    child = subprocess.Popen(space.command(readers.OURS, "collect", "--directory", f"{directory}/collected", "--create-stream", "--once", "--set",
                                           "FlowLog:Rotation:MaxBytes=0"), stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise process.ReaderFailed(f"collect: {said}")
    return {"wall_ms": (time.monotonic() - began) * 1000, "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000, "peak_kib": usage.ru_maxrss}


IDLE_END = 2000  # ms: --once looks for so long whether anything is left


def _collect(space, directory, server, records):
    before = server.cpu_seconds()
    used = _run_collect(space, f"{directory}/server")
    lines = sum(readers.occurrences(path, b"\n")[0] for path in glob.glob(f"{directory}/server/collected/*.ndjson"))
    if lines != records:
        raise process.ReaderFailed(f"collect wrote {lines} of {records} records")
    return {**used, "records": records, "lost": 0, "wall_ms": used["wall_ms"] - IDLE_END, "server_ms": (server.cpu_seconds() - before) * 1000}


def _storms(space, number, results, args):
    """One storm for each reader."""
    for name, own in results.items():
        with table.raised(args.flows + args.flows // 4 + 10_000):
            own.append(measure.over_storm(space, readers.READERS[name], args.flows, ["--rate", args.rate] if args.rate else [], measure.WARM_UP))
        print(f"round {number}: {readers.READERS[name].title}: {own[-1].cpu_per_event * 1e6:.2f} µs an event, {own[-1].seen} of {own[-1].sent}", flush=True)


def _alone(sink, target, records, *more, space=None):
    """The sink without the service around it. What it has written is deleted."""
    own = f"{target}/alone"
    if not target.startswith(("udp:", "tcp:")):
        os.mkdir(own)
    command = [PROGRAM, sink, own if os.path.isdir(own) else target, str(records), *more]
    try:
        done = subprocess.run(space.command(*command) if space else command, stdout=subprocess.PIPE, check=True, text=True)
    finally:
        if os.path.isdir(own):
            subprocess.run(["rm", "-r", own], check=True)
    result = json.loads(done.stdout)
    if result["lost"]:
        raise process.ReaderFailed(f"{sink} lost {result['lost']} records")
    return result


def _say(number, alone):
    for name, runs in alone.items():
        print(f"round {number}: {name} alone: {_rate(runs[-1]):,.0f} records/s, {_cost(runs[-1]):.2f} µs CPU a record", flush=True)


def _rate(run):
    return run["records"] * 1000 / run["wall_ms"]


def _cost(run):
    return run["cpu_ms"] * 1000 / run["records"]


def _median(runs, figure):
    return statistics.median(figure(run) for run in runs)


def _ratio(runs, others, figure):
    return statistics.median(figure(run) / figure(other) for run, other in zip(runs, others))


def _storm_table(storms, args):
    def cost(result):
        return result.cpu_per_event * 1e6

    rows = [(readers.READERS[name].title, f"{_median(runs, lambda run: run.seen):,.0f}{'*' if runs[0].seen_by_kernel else ''}",
             f"{_median(runs, lambda run: run.lost):,.0f}", f"{_median(runs, cost):.2f}",
             f"{_ratio(runs, storms['json'], cost):.2f}", f"{_median(runs, lambda run: run.peak_memory) / 2**20:.0f}")
            for name, runs in storms.items()]
    sent = next(iter(storms.values()))[0].sent
    pace = f"at {args.rate:,} a second" if args.rate else "at once"
    return ("The whole service:\n\n" + report.table(
        ("reader", f"records of {sent:,} events", "lost", "CPU µs an event", "of the JSON file's", "peak MiB"), rows)
        + f"\n{args.flows:,} IPv4 UDP flows made {pace}, then flushed, as in `storm`; medians of {args.rounds} rounds, ratios to the JSON file of the "
        "same round. IPFIX has one record a flow, at its end; the others have two. CPU of the engine is not in it.\n\n\\* keeps no record.\n")


def _alone_table(alone, titles):
    rows = [(title, f"{_median(alone[name], _rate):,.0f}", f"{max(map(_rate, alone[name])):,.0f}", f"{_median(alone[name], _cost):.2f}",
             f"{_ratio(alone[name], alone['json'], _cost):.2f}") for name, title in titles.items()]
    return "The sink alone:\n\n" + report.table(("", "records a second", "at best", "CPU µs a record", "of the JSON file's"), rows)


def _alone_note(args, engine_words):
    return (f"\n{args.records:,} records of TCP flows that end, fed to the sink as fast as it takes them (`FleetCost/`, JIT), after 300,000 to warm up; "
            f"medians of {args.rounds} rounds. {engine_words}.\n")
