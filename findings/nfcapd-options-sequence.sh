#!/usr/bin/env bash
# nfcapd 1.7.1 (Debian 1.7.1-2+deb12u1): options data records are missing from its count of IPFIX data records.
#
# RFC 7011, section 3.1: a message's sequence number is that of all Data Records sent before, and section 2 counts those of options templates
# among them. nfcapd adds those of data templates only. An exporter that sends one options data record (as every exporter that tells its
# sampling does) and counts it as it must is said to have lost one:
#
#   message 1: sequence 0, one data record;            message 2: sequence 1, one options data record
#   message 3: sequence 2, one data record             -> "Sequence Errors: 1"
#
# An exporter that leaves them out of its sequence has none here, and seems to lose records at every collector that follows the RFC.
source "$(dirname "$0")/lib.sh"
with nfdump=1.7.1-2+deb12u1

send() {
  python3 - "$1" <<'PY'
import socket, struct, sys, time

COUNTS_OPTIONS = sys.argv[1] == "as the RFC says"
OPTIONS, DATA = 300, 256


def set_of(number, body):
    return struct.pack("!HH", number, 4 + len(body)) + body


def message(sequence, *sets):
    body = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(body), int(time.time()), sequence, 1) + body


# Options template: scope observationDomainId (149), option exportedFlowRecordTotalCount (42).
options_template = set_of(3, struct.pack("!HHHHHHH", OPTIONS, 2, 1, 149, 4, 42, 8))
data_template = set_of(2, struct.pack("!HH", DATA, 6) + struct.pack("!12H", 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 1, 8))
record = set_of(DATA, bytes([10, 0, 0, 1, 192, 0, 2, 1]) + struct.pack("!HHBQ", 1000, 443, 17, 4000))
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
behind = 2 if COUNTS_OPTIONS else 1
for datagram in (
    message(0, options_template, data_template, record),
    message(1, set_of(OPTIONS, struct.pack("!IQ", 1, 1))),
    message(behind, record),
    message(behind + 1, record),
):
    link.sendto(datagram, ("127.0.0.1", 9995))
PY
}

errors() {
  rm -rf "$work/flows" && mkdir "$work/flows"
  nfcapd -w "$work/flows" -b 127.0.0.1 -p 9995 -t 3600 >"$work/nfcapd.log" 2>&1 &
  local nfcapd=$!
  until ss -uln | grep -q ':9995 '; do sleep 0.05; done
  send "$1"
  sleep 1 # the datagrams lie in nfcapd's socket; it reads them before it ends
  kill -TERM $nfcapd && wait $nfcapd
  grep -o 'Flows: [0-9]*\|Sequence Errors: [0-9]*' "$work/nfcapd.log" | paste -sd' '
}

expect 'counted as the RFC says' "$(errors 'as the RFC says')" 'Flows: 3 Sequence Errors: 1'
expect 'options left out' "$(errors 'without options')" 'Flows: 3 Sequence Errors: 0'
