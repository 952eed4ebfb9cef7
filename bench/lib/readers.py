"""What is compared. A reader is a command, a way to count what it saw, and nothing else; {directory} is a scratch directory of its own."""

import glob
import json
import os
import re
from dataclasses import dataclass

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(BENCH, "out")
OURS = os.path.join(OUT, "native", "conntrack-stream")
BUFFER = 0x3FFFFFFF  # bytes; the most SO_RCVBUFFORCE takes, so that no reader loses for want of a setting


@dataclass(frozen=True)
class Reader:
    name: str
    title: str
    command: tuple
    counts: object = None  # (directory) -> (NEW seen, DESTROY seen); None = it keeps no record, ask the kernel
    force_buffer: bool = False  # from outside, because the program cannot
    files: tuple = ()  # (name, content) to write before it starts
    crude: str = ""  # name of the crude C program with the same duties


def occurrences(path, *needles):
    counts = [0] * len(needles)
    with open(path, "rb") as file:
        for lines in iter(lambda: file.readlines(1 << 24), []):
            block = b"".join(lines)
            for i, needle in enumerate(needles):
                counts[i] += block.count(needle)
    return tuple(counts)


def _count_c(directory):
    with open(f"{directory}/stdout", encoding="ascii") as file:
        result = json.load(file)
    return result["new"], result["destroy"]


def _count_conntrack(directory):
    return occurrences(f"{directory}/stdout", b"[NEW]", b"[DESTROY]")


def _count_ulogd(directory):
    return occurrences(f"{directory}/flows.json", b'"ct.event": 1,', b'"ct.event": 4,')


def _count_flow_log(directory):
    return occurrences(f"{directory}/flows.json", b'"event":"start"', b'"event":"end"')


def _number_before(directory, words):
    """Of the service's last log line."""
    with open(f"{directory}/stderr", encoding="utf-8") as file:
        return int(re.findall(rf"(\d+) {words}", file.read())[-1])


def _count_nats(directory):
    return _number_before(directory, "records acknowledged"), 0


def _count_ipfix(directory):
    return _number_before(directory, "IPFIX records sent"), 0


def _ulogd_plugin(name):
    return next(iter(glob.glob(f"/usr/lib/*/ulogd/{name}.so") + glob.glob(f"/usr/lib/ulogd/{name}.so")), f"{name}.so")


ULOGD = f"""[global]
logfile="{{directory}}/ulogd.log"
loglevel=5
plugin="{_ulogd_plugin('ulogd_inpflow_NFCT')}"
plugin="{_ulogd_plugin('ulogd_filter_IP2STR')}"
plugin="{_ulogd_plugin('ulogd_output_JSON')}"
stack=ct1:NFCT,ip2str1:IP2STR,json1:JSON
[ct1]
event_mask=0x00000005
hash_enable=0
[json1]
sync=0
file="{{directory}}/flows.json"
"""

_RUN = (OURS, "run", "--set", f"Tap:ReceiveBufferBytes={BUFFER}", "--set", "State:Directory={directory}/state", "--set", "Api:Enabled=false")

READERS = {reader.name: reader for reader in (
    Reader("limit", "C reader that discards (the limit)", (f"{OUT}/reader", "--buffer", str(BUFFER)), _count_c),
    Reader("pause", "the same, resting 1 ms when it has caught up",
           (f"{OUT}/reader", "--buffer", str(BUFFER), "--pause", "1000"), _count_c),
    Reader("crude-view", "crude C, decode + table", (f"{OUT}/flowlog", "--buffer", str(BUFFER)), _count_c),
    Reader("crude-json", "crude C, + JSON to file", (f"{OUT}/flowlog", "--buffer", str(BUFFER), "--log", "{directory}/flows.json"),
           _count_flow_log),
    Reader("conntrack", "conntrack -E, text to file", ("conntrack", "-E", "-e", "NEW,DESTROY"), _count_conntrack, force_buffer=True),
    Reader("ulogd", "ulogd2, JSON to file", ("ulogd", "-c", "{directory}/ulogd.conf"), _count_ulogd, force_buffer=True,
           files=(("ulogd.conf", ULOGD),)),
    Reader("conntrack-shipped", "conntrack -E, its own buffer", ("conntrack", "-E", "-e", "NEW,DESTROY"), _count_conntrack),
    Reader("ulogd-shipped", "ulogd2, JSON, its own buffer", ("ulogd", "-c", "{directory}/ulogd.conf"), _count_ulogd,
           files=(("ulogd.conf", ULOGD),)),
    # Marks are compared in user space, after decoding, and no flow of the storm has one: everything is decoded and nothing printed.
    Reader("watch", "conntrack-stream watch, nothing to print", (OURS, "watch", "-e", "NEW,DESTROY", "-m", "0x7fffffff"),
           force_buffer=True),
    Reader("view", "conntrack-stream, decode + live view", (*_RUN, "--set", "FlowLog:Enabled=false"), crude="crude-view"),
    Reader("json", "conntrack-stream, + JSON flow log to file",
           (*_RUN, "--set", "FlowLog:Path={directory}/flows.json", "--set", "FlowLog:Rotation:MaxBytes=0"), _count_flow_log,
           crude="crude-json"),
    # These two need an engine in the namespace: bench/run nats and ipfix start one.
    Reader("nats", "conntrack-stream, + records to NATS JetStream",
           (*_RUN, "--set", "FlowLog:Enabled=false", "--set", "Nats:Enabled=true", "--set", "Nats:Spool:KeepFreeBytes=0"), _count_nats,
           crude="crude-json"),
    Reader("ipfix", "conntrack-stream, + IPFIX over UDP",
           (*_RUN, "--set", "FlowLog:Enabled=false", "--set", "Ipfix:Collectors=udp://127.0.0.1:4739"), _count_ipfix, crude="crude-view"),
)}

PEERS = ("limit", "pause", "crude-view", "crude-json", "conntrack", "ulogd", "conntrack-shipped", "ulogd-shipped")
SERVICE = ("watch", "view", "json")


def with_yardsticks(names):
    """Before the readers of these names, what they are compared with: the limit, and the crude C programs of the same duties."""
    crude = [READERS[name].crude for name in names if READERS[name].crude]
    return list(dict.fromkeys(["limit", *crude, *names]))


def is_ours(reader):
    return reader.command[0] == OURS
