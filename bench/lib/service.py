"""What only the service is asked for: its cost at rest, the time to its first event, its memory for each flow."""

import contextlib
import os
import statistics
import subprocess
import time

from . import measure, namespace, process, readers, report, table

MIB = 2**20


def idle(args):
    rows = []
    with namespace.created() as space:
        for name in args.readers:
            reader = readers.READERS[name]
            with measure.scratch(name) as directory, measure.running(space, reader, directory) as program:
                time.sleep(args.settle)
                before = program.cpu_seconds()
                time.sleep(args.seconds)
                used = program.cpu_seconds() - before
                rows.append((reader.title, f"{100 * used / args.seconds:.3f}", f"{program.memory('VmRSS') / MIB:.1f}",
                             f"{program.memory('RssAnon') / MIB:.1f}"))
    body = report.table(("reader", "CPU %", "resident MiB", "of it anonymous MiB"), rows)
    body += f"\nBegun {args.settle} s after the start.\n"
    report.publish("idle", f"At rest, over {args.seconds} s", body, args.save)


def start(args):
    rows = []
    with table.raised(1_000_000), namespace.created() as space:
        for name in args.readers:
            reader = readers.READERS[name]
            times = [_first_event(space, reader) * 1000 for _ in range(args.rounds)]
            rows.append((reader.title, f"{statistics.median(times):.0f}", f"{min(times):.0f} to {max(times):.0f}"))
    body = report.table(("reader", "ms to the first event handled", "least to most"), rows)
    body += f"\nFrom exec to the first record of an event (not of the first dump) in its file; a flow begins each millisecond. {args.rounds} starts.\n"
    report.publish("start", "Start", body, args.save)


def _first_event(space, reader):
    generator = subprocess.Popen(space.command(f"{readers.OUT}/storm", "--count", 600_000, "--rate", 1000), stdout=subprocess.DEVNULL)
    try:
        with measure.scratch(reader.name) as directory:
            path = next((part.split("=", 1)[1] for part in reader.command if part.startswith("FlowLog:Path=")), "{directory}/stdout")
            return _until_first_record(space, reader, directory, path.format(directory=directory))
    finally:
        generator.terminate()
        generator.wait()
        space.flush()


def _until_first_record(space, reader, directory, path):
    command = space.command(*(part.format(directory=directory) for part in reader.command))
    with open(f"{directory}/stdout", "wb") as out, open(f"{directory}/stderr", "wb") as err, process.started(command, out, err) as program:
        text = b""
        while time.monotonic() - program.started < 30:
            program.check_alive()
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
                text = file.read()
            if b'"origin":"event"' in text or b"[NEW]" in text:
                return time.monotonic() - program.started
            time.sleep(0.001)
    raise process.ReaderFailed("no event was recorded within 30 s")


TRIM_INTERVAL = 62  # seconds: once a minute the service gives memory back that a peak has left


def memory(args):
    rows = []
    with table.raised(args.flows + 10_000), namespace.created() as space:
        for family in ("IPv4", "IPv6"):
            for name in args.readers:
                reader = readers.READERS[name]
                with measure.scratch(name) as directory, measure.running(space, reader, directory) as program:
                    empty = program.memory("VmRSS")
                    measure.storm(space, args.flows, *(["--ipv6"] if family == "IPv6" else []))
                    program.wait_quiet()
                    full, lost = program.memory("VmRSS"), program.event_socket()[1]
                    space.flush()
                    time.sleep(TRIM_INTERVAL)
                    program.wait_quiet()
                    rows.append((f"{reader.title}, {family}", f"{empty / MIB:.1f}", f"{full / MIB:.1f}", f"{(full - empty) / args.flows:.0f}",
                                 f"{program.memory('VmRSS') / MIB:.1f}", f"{lost:,}"))
    body = report.table(("reader", "resident MiB, no flow", f"at {args.flows:,}", "bytes a flow", "after their end", "events lost"), rows)
    report.publish("memory", f"Memory at {args.flows:,} flows", body, args.save)


def build():
    """The executable as it is released, native code. Quick when nothing has changed."""
    project = os.path.join(readers.BENCH, "../src/ConntrackStream")
    subprocess.run(["dotnet", "publish", "-c", "Release", "-o", os.path.dirname(readers.OURS), "--nologo", "-v", "quiet", "-clp:ErrorsOnly",
                    project], check=True)
