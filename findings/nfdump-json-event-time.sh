#!/usr/bin/env bash
# nfdump 1.7.1 (Debian 1.7.1-2+deb12u1): the milliseconds of an event's time in JSON are not padded.
#
# An entry of a NAT log (RFC 8158: natEvent 230, observationTimeMilliseconds 323) is shown with its time as `t_event`. Its fraction is printed
# without leading zeros, so that 71 ms after the second read as 710 ms, and 5 ms as half a second. `first` and `last` of a flow are padded.
#
#   323 = 1790000000071    "t_event" : "2026-09-21T14:13:20.71"
#   323 = 1790000000710    "t_event" : "2026-09-21T14:13:20.710"
#
# Whoever sorts or joins a NAT log by it is wrong for one event in ten. `-o raw` prints the same time padded.
source "$(dirname "$0")/lib.sh"
with nfdump=1.7.1-2+deb12u1

mkdir "$work/flows"
nfcapd -w "$work/flows" -b 127.0.0.1 -p 9995 -t 3600 >"$work/nfcapd.log" 2>&1 &
until ss -uln | grep -q ':9995 '; do sleep 0.05; done
send() {
  python3 "$(dirname "$0")/ipfix.py" 9995 230/1=1 "323/8=$2" 8/4=10.0.0.1 12/4=192.0.2.1 7/2=1000 "11/2=$1" 4/1=17 \
    225/4=198.51.100.1 226/4=192.0.2.1 227/2=2000 "228/2=$1"
}
send 71 1790000000071
send 710 1790000000710
sleep 1 # the datagrams lie in nfcapd's socket; it reads them before it ends
kill -TERM %1 && wait %1
export TZ=UTC
event() { nfdump -R "$work/flows" -o json "dst port $1" | grep -o '"t_event" : "[^"]*"' | cut -d'"' -f4; }

expect '710 ms' "$(event 710)" 2026-09-21T14:13:20.710
expect '71 ms' "$(event 71)" 2026-09-21T14:13:20.71
expect 'the same in raw' "$(nfdump -R "$work/flows" -o raw 'dst port 71' | grep -o '13:20\.[0-9]*')" 13:20.071
