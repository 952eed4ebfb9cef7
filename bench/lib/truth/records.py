"""What both sides wrote, made comparable: times in µs since the Unix epoch, and one string that identifies a flow: "id, zone, protocol, both tuples"."""

import calendar
import re
import time

_seconds = {}


def microseconds(text):
    """Of RFC 3339 in UTC with six decimals, as the flow log has it."""
    second = _seconds.get(text[:19])
    if second is None:
        if len(_seconds) > 100_000:
            _seconds.clear()
        second = _seconds[text[:19]] = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1_000_000
    if len(text) != 27 or text[19] != "." or text[26] != "Z":
        raise ValueError(f"{text} is not a time with microseconds")
    return second + int(text[20:26])


def written(time_us):
    """The same, for messages."""
    return time.strftime("%H:%M:%S", time.gmtime(time_us // 1_000_000)) + f".{time_us % 1_000_000:06}"


def key_of_record(record):
    """Of a start, end or update in the flow log."""
    if "icmp_id" in record:
        ports = (record["icmp_id"], record["icmp_type"] * 256 + record["icmp_code"])
        reply = (record.get("reply_icmp_id", record["icmp_id"]), ports[1])
    else:
        ports = (record.get("sport", 0), record.get("dport", 0))
        reply = (record.get("reply_sport", 0), record.get("reply_dport", 0))
    return (f"{record['ct_id']}\t{record['zone']}\t{record['proto_num']}\t{record['src']}\t{ports[0]}\t{record['dst']}\t{ports[1]}"
            f"\t{record['reply_src']}\t{reply[0]}\t{record['reply_dst']}\t{reply[1]}")


def key_of_event(rest):
    """Of a recorder's line, from its id on. An ICMP reply's type is another than the request's and follows from it."""
    if "\t1\t" in rest[:20]:
        fields = rest.split("\t")
        if fields[2] == "1":
            fields[10] = fields[6]
            return "\t".join(fields)
    return rest


def counters_of_record(record):
    """(packets, bytes, reply packets, reply bytes), or None where the record has none. The test's flows have no local side: tx is the original."""
    if "tx_packets" not in record:
        return None
    return record["tx_packets"], record["tx_bytes"], record["rx_packets"], record["rx_bytes"]


_FIELD = re.compile(r"(\w+)=(\S+)")


def key_of_listed(line):
    """Of a line that `conntrack -L -o id` printed."""
    words = line.split()
    protocol = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}.get(words[0], words[1])
    fields = _FIELD.findall(line)
    values = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    if "type" in values:
        port = str(int(values["type"][0]) * 256 + int(values["code"][0]))
        ports = [(values["id"][0], port), (values["id"][1], port)]
    else:
        ports = list(zip(values.get("sport", ("0", "0")), values.get("dport", ("0", "0"))))
    parts = [values["id"][-1], values.get("zone", ["0"])[0], protocol]
    for i in range(2):
        parts += [values["src"][i], ports[i][0], values["dst"][i], ports[i][1]]
    return "\t".join(parts)
