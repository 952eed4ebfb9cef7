"""Compares what the collector wrote with what conntrack -E and the traffic saw. Usage: check.py DIRECTORY. Exit code 1: a check failed."""

import collections
import json
import re
import sys

NODES = ("node-a", "node-b")
NAMES = {"src": "src", "dst": "dst", "sport": "sport", "dport": "dport", "type": "icmp_type", "code": "icmp_code", "id": "icmp_id"}


class Failed(Exception):
    """What the check has found."""


def require(is_so, problem):
    if not is_so:
        raise Failed(problem)


def records_of(directory, node):
    with open(f"{directory}/flows/{node}.ndjson", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check_sequence(node, records):
    """From 1 on, without a hole, no number twice, and no gap among them."""
    for number, record in enumerate(records, 1):
        require(record["seq"] == number, f"{node}: record {number} has seq {record['seq']}")
        require(record["run"] == records[0]["run"], f"{node}: record {number} is of another run")
        require(record["event"] != "gap", f"{node}: record {number} is a gap: {record}")


def key_of_record(record):
    ports = (record["icmp_type"], record["icmp_code"], record["icmp_id"]) if record["proto"] == "icmp" else (record["sport"], record["dport"])
    return (record["proto"], record["src"], record["dst"], *ports, record["ct_id"])


def key_of_line(line):
    """Of the original direction, which comes first; the kernel's id is the last of that name."""
    proto = re.search(r"\b(udp|tcp|icmp)\b", line).group(1)
    first = dict(reversed(re.findall(r"\b(src|dst|sport|dport|type|code|id)=(\S+)", line)))
    ports = ("type", "code", "id") if proto == "icmp" else ("sport", "dport")
    return (proto, first["src"], first["dst"], *(int(first[name]) for name in ports), int(re.findall(r"\bid=(\d+)", line)[-1]))


def events_of(directory, node):
    with open(f"{directory}/conntrack-{node[-1]}.log", encoding="ascii") as file:
        lines = file.readlines()
    return {kind: collections.Counter(key_of_line(line) for line in lines if f"[{kind}]" in line) for kind in ("NEW", "DESTROY")}


def check_events(directory, node, records):
    seen = events_of(directory, node)
    for kind, event in (("NEW", "start"), ("DESTROY", "end")):
        written = collections.Counter(key_of_record(record) for record in records if record["event"] == event)
        missing, more = seen[kind] - written, written - seen[kind]
        require(not missing and not more, f"{node}: {missing.total()} of {kind} without a record, {more.total()} {event} records without: "
                f"{list(missing)[:3]} {list(more)[:3]}")
    return sum(seen["NEW"].values()) + sum(seen["DESTROY"].values())


def check_traffic(directory, node, records):
    """Each flow that was made has a start and an end."""
    with open(f"{directory}/traffic.log", encoding="ascii") as file:
        made = collections.Counter((proto, client, int(number)) for proto, client, number in map(str.split, file))
    for event in ("start", "end"):
        written = collections.Counter(
            (record["proto"], record["src"], record["icmp_id" if record["proto"] == "icmp" else "sport"])
            for record in records if record["event"] == event)
        missing = made - written
        require(not missing, f"{node}: {missing.total()} of {made.total()} flows without {event} record: {list(missing)[:3]}")
    return made.total()


def check_joined(records):
    """By Community ID, a flow of one node is one of the other."""
    counts = [collections.Counter(record["community_id"] for record in records[node] if record["event"] == "start") for node in NODES]
    require(counts[0] == counts[1], f"{(counts[0] - counts[1]).total()} flows of {NODES[0]} have no partner by community_id, "
            f"{(counts[1] - counts[0]).total()} of {NODES[1]}")
    return counts[0].total()


def main(directory):
    records = {node: records_of(directory, node) for node in NODES}
    events = 0
    for node in NODES:
        check_sequence(node, records[node])
        events += check_events(directory, node, records[node])
        made = check_traffic(directory, node, records[node])
    joined = check_joined(records)
    print(f"Verified: {sum(map(len, records.values())):,} records in the files of {len(NODES)} hosts, every sequence number there and once; "
          f"equal to the {events:,} events of conntrack -E; all {made:,} flows made have start and end on both; {joined:,} joined by Community ID.")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (Failed, OSError) as failure:
        sys.exit(f"samples/fleet/check.py: {failure}")
