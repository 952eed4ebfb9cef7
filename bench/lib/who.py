"""Who had an address: our search beside rg, grep and zgrep, over plain, gzip and zstd files of one log."""

import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

from . import readers, report

BEGIN = 1_790_000_000  # seconds since the Unix epoch
SECONDS = 600  # of a file
ADDRESS = "10.77.77.77"  # of one flow, in the middle
MIB = 2**20


def run(args):
    """The files are read from the page cache: the first round of each row is not counted."""
    with tempfile.TemporaryDirectory(prefix="who-bench-") as directory:
        plain = f"{directory}/plain"
        os.mkdir(plain)
        size = _make(plain, args.files, args.megabytes * MIB // args.files)
        packed = {"plain": plain, "gzip": _pack(plain, f"{directory}/gzip", "gz", "gzip", "-6"),
                  "zstd": _pack(plain, f"{directory}/zstd", "zst", "zstd", "-q", "-3")}
        rows = []
        for kind, place in packed.items():
            for title, command in _commands(kind, place, args.files):
                rows.append((kind, title, *_measure(command, size, args.rounds)))
                print(*rows[-1], flush=True)
    body = report.table(("files", "command", "s", "MB/s of content", "CPU s", "peak MiB"), rows)
    body += (f"\n{args.files} rotated files with {size / 1e6:,.0f} MB of records, one flow with the address, in the middle. Warm: all content is in "
             f"the page cache. Medians of {args.rounds} rounds after one that is not counted. \"One CPU\": pinned by taskset.\n")
    report.publish("who", f"Who had this address? {size / 1e9:.1f} GB", body, args.save)


def _make(directory, files, length):
    total = 0
    for number in range(files):
        lines = length // len(_line(0, 0, "10.0.0.1"))
        begin = BEGIN + number * SECONDS
        name = f"flows.ndjson.{time.strftime('%Y%m%dT%H%M%S', time.gmtime(begin + SECONDS))}000Z" if number < files - 1 else "flows.ndjson"
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            for line in range(lines):
                rare = number == files // 2 and line == lines // 2
                file.write(_line(number * lines + line, begin + line * SECONDS / lines, ADDRESS if rare else f"10.{line >> 14 & 63}.{line >> 7 & 127}.{line & 127}"))
        total += os.path.getsize(f"{directory}/{name}")
    return total


def _line(number, at, source):
    stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at))}.{int(at % 1 * 1e6):06}Z"
    return (f'{{"v":1,"time":"{stamp}","host":"gw1","event":"end","flow_id":"019f0000-0000-8000-8000-{number:012x}","ct_id":{number},"zone":0,'
            f'"family":"ipv4","proto":"tcp","proto_num":6,"src":"{source}","sport":{20000 + number % 40000},"dst":"198.51.100.7","dport":443,'
            f'"reply_src":"198.51.100.7","reply_sport":443,"reply_dst":"203.0.113.50","reply_dport":{20000 + number * 7 % 40000},"nat":"snat",'
            f'"direction":"egress","status":["seen_reply","assured","confirmed","src_nat"],"start":"{stamp}","end":"{stamp}","duration_ms":0,'
            f'"tx_packets":{number % 90},"tx_bytes":{number % 9001},"rx_packets":{number % 70},"rx_bytes":{number % 70001},"origin":"event"}}\n')


def _pack(plain, directory, ending, *tool):
    os.mkdir(directory)
    for name in sorted(os.listdir(plain)):
        with open(f"{plain}/{name}", "rb") as source, open(f"{directory}/{name}.{ending}", "wb") as target:
            subprocess.run([*tool, "-c"], stdin=source, stdout=target, check=True)
    return directory


def _commands(kind, place, files):
    middle = BEGIN + (files // 2 + 0.5) * SECONDS
    ours = [readers.OURS, "who", ADDRESS, "--at", f"@{middle:.0f}", place]
    one = ["taskset", "-c", "0"]
    yield "who", ours
    yield "who, one CPU", one + ours
    yield "who --reach 60s", ours + ["--reach", "60s"]
    if shutil.which("rg"):
        yield f"rg {'-z ' if kind != 'plain' else ''}-F, one thread", ["rg", "--no-mmap", "-j1", "-F", *(["-z"] if kind != "plain" else []), ADDRESS, place]
    if kind == "plain":
        yield "grep -F", ["grep", "-rF", ADDRESS, place]
    else:
        # zstdgrep of zstd 1.5.4 ends with the result of the last file alone
        yield ("zgrep -F", ["sh", "-c", f'exec zgrep -F {ADDRESS} "$0"/*', place]) if kind == "gzip" else (
            "zstdcat, grep -F", ["sh", "-c", f'zstdcat "$0"/* | grep -F {ADDRESS}', place])


def _measure(command, size, rounds):
    walls, cpus, peak = [], [], 0
    for number in range(rounds + 1):
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        found = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode or ADDRESS.encode() not in found:
            raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if number:
            walls.append(time.monotonic() - begin)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            peak = max(peak, used.ru_maxrss / 1024)
    wall = statistics.median(walls)
    return f"{wall:.2f}", f"{size / 1e6 / wall:,.0f}", f"{statistics.median(cpus):.2f}", f"{peak:.0f}"
