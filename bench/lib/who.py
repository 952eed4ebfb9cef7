"""Who had an address: our search with and without indexes beside rg, grep, zgrep and nfdump, over plain, gzip and zstd files of one log."""

import multiprocessing
import os
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import time

from . import readers, report

BEGIN = 1_790_000_400  # seconds since the Unix epoch: begin of ten minutes
SECONDS = 600  # of a file
CLIENTS = 2000
ADDRESS = "10.77.77.77"  # of one flow, in the middle
NAT = "203.0.113.50"  # in every record
MIB = 2**20


def run(args):
    """The first round of each row is not counted. Warm: the files are read from the page cache; cold: they were dropped from it."""
    with tempfile.TemporaryDirectory(prefix="who-bench-", dir=args.directory) as directory:
        plain = f"{directory}/plain"
        os.mkdir(plain)
        with multiprocessing.get_context("fork").Pool(1) as pool: # what is started by a large process is as large at first
            size, records = pool.apply(_make, (plain, args.files, args.megabytes * MIB // args.files))
        kinds = {"plain": lambda: plain, "gzip": lambda: _pack(plain, f"{directory}/gzip", "gz", "pigz" if shutil.which("pigz") else "gzip", "-1"),
                 "zstd": lambda: _pack(plain, f"{directory}/zstd", "zst", "zstd", "-q", "-1")}
        rows = []
        for kind in args.kinds:
            place = kinds[kind]()
            for title, expected, command in _commands(kind, place, args.files):
                rows.append((kind, title, *_measure(command, expected, size, args.rounds, None)))
                print(*rows[-1], flush=True)
            rows += _indexed(kind, place, args.files, size, args.rounds)
        if shutil.which("nfcapd"):
            rows += _nfdump(directory, args.files, records, size, args.rounds)
    body = report.table(("files", "command", "s", "MB/s of content", "CPU s", "peak MiB"), rows)
    body += (f"\n{args.files} rotated files with {size / 1e6:,.0f} MB of records of {records * args.files // 2:,} flows, one flow with the address, in "
             f"the middle. Warm, except \"cold\": then the files and indexes were dropped from the page cache. Medians of {args.rounds} rounds after one "
             f"that is not counted. \"One CPU\": pinned by taskset. nfdump reads files of nfcapd with as many flows, each once.\n")
    report.publish("who", f"Who had this address? {size / 1e9:.1f} GB", body, args.save)


def _make(directory, files, length):
    """One file is made line by line, the others are copies with other times and ids."""
    lines = length // len(_start(0, 0, "10.0.0.1") + _end(0, 0, 1, "10.0.0.1")) * 2
    events = []
    for flow in range(lines // 2):
        at = flow * (SECONDS - 40) / (lines / 2)
        source = f"10.{flow * 7919 % CLIENTS >> 8}.{flow * 7919 % CLIENTS & 255}.1"
        end = at + 1 + flow * 104_729 % 38
        events += [(at, _start(flow, at, source)), (end, _end(flow, at, end, source))]
    events.sort(key=lambda event: event[0])
    template = "".join(line for _, line in events).encode("ascii")
    rare = template.rindex(b'"src":"10.', 0, len(template) // 2)
    whose = template[rare + 7:template.index(b'"', rare + 7)]
    before = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(BEGIN))[:-1].encode()
    total = 0
    for number in range(files):
        begin = BEGIN + number * SECONDS
        content = template.replace(before, time.strftime("%Y-%m-%dT%H:%M", time.gmtime(begin))[:-1].encode())
        content = content.replace(b"019f0000-0000-", f"019f0000-{number:04x}-".encode())
        if number == files // 2:
            content = content[:rare + 7] + ADDRESS.encode() + content[rare + 7 + len(whose):]
        name = f"flows.ndjson.{time.strftime('%Y%m%dT%H%M%S', time.gmtime(begin + SECONDS))}000Z" if number < files - 1 else "flows.ndjson"
        with open(f"{directory}/{name}", "wb") as file:
            file.write(content)
        total += len(content)
    return total, len(events)


def _stamp(at):
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(BEGIN + int(at)))}.{int(at % 1 * 1e6):06}Z"


def _head(flow, at, event, source):
    return (f'{{"v":1,"time":"{_stamp(at)}","host":"gw1","event":"{event}","flow_id":"019f0000-0000-8000-8000-{flow:012x}","ct_id":{flow * 2654435761 % 2**32},'
            f'"zone":0,"family":"ipv4","proto":"tcp","proto_num":6,"src":"{source}","sport":{20000 + flow * 31 % 40000},"dst":"198.51.{flow % 97}.7",'
            f'"dport":443,"reply_src":"198.51.{flow % 97}.7","reply_sport":443,"reply_dst":"{NAT}","reply_dport":{_port(flow)},"nat":"snat",'
            '"direction":"egress","status":["SEEN_REPLY","ASSURED","CONFIRMED","SRC_NAT","SRC_NAT_DONE","DST_NAT_DONE"],')


def _port(flow):
    return 1024 + flow * 7 % 64000


def _start(flow, at, source):
    return _head(flow, at, "start", source) + f'"start":"{_stamp(at)}","origin":"event"}}\n'


def _end(flow, at, end, source):
    return _head(flow, end, "end", source) + (
        f'"tcp_state":"TIME_WAIT","start":"{_stamp(at)}","end":"{_stamp(end)}","duration_ms":{int((end - at) * 1000)},"tx_packets":{flow % 90},'
        f'"tx_bytes":{flow * 48271 % 900001},"rx_packets":{flow % 70},"rx_bytes":{flow * 16807 % 7000001},"origin":"event"}}\n')


def _pack(plain, directory, ending, *tool):
    os.mkdir(directory)
    for name in sorted(name for name in os.listdir(plain) if not name.endswith(".idx")):
        with open(f"{plain}/{name}", "rb") as source, open(f"{directory}/{name}.{ending}", "wb") as target:
            subprocess.run([*tool, "-c"], stdin=source, stdout=target, check=True)
        os.utime(f"{directory}/{name}.{ending}", ns=(time.time_ns(), os.stat(f"{plain}/{name}").st_mtime_ns))
    return directory


def _question(what, place, files, second=300.0):
    return [readers.OURS, "who", what, "--at", f"@{BEGIN + files // 2 * SECONDS + second:.0f}", place]


def _commands(kind, place, files):
    ours, one = [*_question(ADDRESS, place, files), "--no-index"], ["taskset", "-c", "0"]
    yield "who --no-index", ADDRESS, ours
    yield "who --no-index, one CPU", ADDRESS, one + ours
    yield "who --reach 60s", ADDRESS, [*_question(ADDRESS, place, files), "--reach", "60s"]
    packed = kind != "plain"
    if shutil.which("rg"):
        yield f"rg {'-z ' if packed else ''}-F, one thread", ADDRESS, ["rg", "--no-mmap", "-j1", "-F", *(["-z"] if packed else []), ADDRESS, place]
    if not packed:
        yield "grep -F", ADDRESS, ["grep", "-rF", ADDRESS, place]
    else:
        # zstdgrep of zstd 1.5.4 ends with the result of the last file alone
        yield ("zgrep -F", ADDRESS, ["sh", "-c", f'exec zgrep -F {ADDRESS} "$0"/*', place]) if kind == "gzip" else (
            "zstdcat, grep -F", ADDRESS, ["sh", "-c", f'zstdcat "$0"/* | grep -F {ADDRESS}', place])


def _indexed(kind, place, files, size, rounds):
    first = _question(ADDRESS, place, files)
    yield kind, "who, which makes the indexes", *_measure(first, ADDRESS, size, 0, None)
    share = sum(os.path.getsize(f"{place}/{name}") for name in os.listdir(place) if name.endswith(".idx")) / size
    print(f"{kind}: the indexes take {share:.1%} of the content", flush=True)
    for title, what, second in (("an address", ADDRESS, 300), ("the NAT address with a port", f"{NAT}:{_port(40_000)}", 300), ("a busy client", "10.3.3.1", 300)):
        for state in ("warm", "cold"):
            row = kind, f"who {title}, indexes {state} ({share:.1%} of content)", *_measure(
                _question(what, place, files, second), what.split(":")[0], size, rounds, place if state == "cold" else None, may_be_none=title != "an address")
            print(*row, flush=True)
            yield row


def _nfdump(directory, files, records, size, rounds):
    place = f"{directory}/nfcapd"
    os.mkdir(place)
    one = _nfcapd(f"{directory}/one", records // 2, None)
    other = _nfcapd(f"{directory}/other", records // 2, ADDRESS)
    for number in range(files):
        name = time.strftime("nfcapd.%Y%m%d%H%M", time.gmtime(BEGIN + number * SECONDS))
        shutil.copyfile(other if number == files // 2 else one, f"{place}/{name}")
    os.sync()
    for state in ("warm", "cold"):
        command = ["nfdump", "-R", place, "-o", "line", f"ip {ADDRESS}"]
        yield "nfcapd", f"nfdump, {state}", *_measure(command, ADDRESS, size, rounds, place if state == "cold" else None)


def _nfcapd(directory, flows, rare):
    """A file of flows that came over IPFIX."""
    os.mkdir(directory)
    port = 39_055
    capture = subprocess.Popen(["nfcapd", "-w", directory, "-l", directory, "-b", "127.0.0.1", "-p", str(port), "-t", "3600", "-B", str(1 << 25)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)  # it has no way to say that it listens
    fields = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (152, 8), (153, 8), (1, 8), (2, 8))
    template = struct.pack(">HHHH", 2, 8 + 4 * len(fields), 256, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for begin in range(0, flows, 25):
            data = b"".join(_flow_record(flow, rare) for flow in range(begin, min(begin + 25, flows)))
            sets = template + struct.pack(">HH", 256, 4 + len(data)) + data
            sender.send(struct.pack(">HHIII", 10, 16 + len(sets), BEGIN, begin, 1) + sets)
            if begin % 2500 == 0:
                time.sleep(0.005)
    time.sleep(1)
    capture.send_signal(signal.SIGTERM)
    capture.wait()
    return next(f"{directory}/{name}" for name in os.listdir(directory) if name.startswith("nfcapd."))


def _flow_record(flow, rare):
    source = rare if rare and flow == 40_000 else f"10.{flow * 7919 % CLIENTS >> 8}.{flow * 7919 % CLIENTS & 255}.1"
    at = (BEGIN + flow % SECONDS) * 1000
    return struct.pack(">4s4sHHBQQQQ", socket.inet_aton(source), socket.inet_aton(f"198.51.{flow % 97}.7"), 20000 + flow * 31 % 40000, 443, 6, at,
                       at + 5000, flow * 48271 % 900001, flow % 90)


def _drop(place):
    os.sync()
    for name in os.listdir(place):
        with open(f"{place}/{name}", "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _measure(command, expected, size, rounds, cold, may_be_none=False):
    walls, cpus, peak = [], [], 0
    for number in range(rounds + 1):
        if cold:
            _drop(cold)
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in ((0, 5) if may_be_none else (0,)) or expected.encode() not in found:
            raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if number or not rounds:
            walls.append(time.monotonic() - begin)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            peak = max(peak, used.ru_maxrss / 1024)
    wall = statistics.median(walls)
    return f"{wall:.2f}", f"{size / 1e6 / wall:,.0f}", f"{statistics.median(cpus):.2f}", f"{peak:.0f}"
