#!/usr/bin/env bash
# nfdump 1.7.1 (Debian 1.7.1-2+deb12u1): the reverse times and flags of an RFC 5103 biflow replace the forward ones.
#
# RFC 5103 marks each reverse element with enterprise number 29305. nfcapd keeps reverse octets and packets apart (out_bytes, out_packets), but
# takes 29305:152 and 29305:153 for the flow's own start and end, and 29305:6 for its own TCP flags, without a message:
#   record sent:  start :20.000, end :25.000, flags SYN; reverse start :21.000, reverse end :22.000, reverse flags SYN ACK
#   record shown: first :21.000, last :22.000, flags SYN ACK
# Beside that, the summary line adds the reverse bytes, which the `line` format's rows do not show: 4,000 in the row, 13,000 in the summary.
#
# An exporter that wants nfdump to show a flow's life sends only the reverse counters.
source "$(dirname "$0")/lib.sh"
with nfdump=1.7.1-2+deb12u1

mkdir "$work/flows"
nfcapd -w "$work/flows" -b 127.0.0.1 -p 9995 -t 3600 >"$work/nfcapd.log" 2>&1 &
until ss -uln | grep -q ':9995 '; do sleep 0.05; done
forward='152/8=1790000000000 153/8=1790000005000 8/4=10.0.0.1 12/4=192.0.2.1 7/2=1000 11/2=443 4/1=6 1/8=4000 2/8=10 6/1=2'
# shellcheck disable=SC2086
python3 "$(dirname "$0")/ipfix.py" 9995 $forward 29305:1/8=9000 29305:2/8=20 29305:152/8=1790000001000 29305:153/8=1790000002000 29305:6/1=18
sleep 1 # the datagram lies in nfcapd's socket; it reads it before it ends
kill -TERM %1 && wait %1
export TZ=UTC
nfdump -R "$work/flows" -o json >"$work/json"
value() { grep "\"$1\"" "$work/json" | sed 's/.*: //; s/,$//; s/"//g'; }

expect 'forward bytes' "$(value in_bytes)" 4000
expect 'reverse bytes' "$(value out_bytes)" 9000
expect 'start is the reverse start' "$(value first)" 2026-09-21T14:13:21.000
expect 'end is the reverse end' "$(value last)" 2026-09-21T14:13:22.000
expect 'flags are the reverse flags' "$(value tcp_flags)" '...A..S.'
expect 'bytes in the row' "$(nfdump -R "$work/flows" -o line 2>/dev/null | grep -oE '443 +10 +[0-9]+' | awk '{print $3}')" 4000
expect 'bytes in the summary' "$(nfdump -R "$work/flows" -o line 2>/dev/null | grep -oE 'total bytes: [0-9]+')" 'total bytes: 13000'
