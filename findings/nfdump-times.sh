#!/usr/bin/env bash
# nfdump 1.7.1 (Debian 1.7.1-2+deb12u1): of IPFIX's four pairs of absolute times (RFC 7011, sections 6.1.7 to 6.1.10; RFC 5102) it reads one.
#
#   flowStartMilliseconds, flowEndMilliseconds (152, 153)    the flow's times
#   ...Seconds (150, 151)                                     1970-01-01 00:00:00, without a message
#   ...Microseconds (154, 155), ...Nanoseconds (156, 157)     1970-01-01 00:00:00, without a message
#
# A time filter (-t) never finds such a flow.
source "$(dirname "$0")/lib.sh"
with nfdump=1.7.1-2+deb12u1

mkdir "$work/flows"
nfcapd -w "$work/flows" -b 127.0.0.1 -p 9995 -t 3600 >"$work/nfcapd.log" 2>&1 &
until ss -uln | grep -q ':9995 '; do sleep 0.05; done
seconds=1790000000
# dateTimeMicroseconds and dateTimeNanoseconds are NTP timestamps: seconds since 1900, then a fraction.
ntp=$(python3 -c "print(($seconds + 2208988800) << 32)")
send() { python3 "$(dirname "$0")/ipfix.py" 9995 8/4=10.0.0.1 12/4=192.0.2.1 7/2=1000 "11/2=$1" 4/1=17 1/8=4000 2/8=10 "${@:2}"; }
send 1 150/4=$seconds 151/4=$seconds
send 2 152/8=${seconds}000 153/8=${seconds}000
send 3 "154/8=$ntp" "155/8=$ntp"
send 4 "156/8=$ntp" "157/8=$ntp"
sleep 1 # the datagrams lie in nfcapd's socket; it reads them before it ends
kill -TERM %1 && wait %1
export TZ=UTC
first() { nfdump -R "$work/flows" -o csv "dst port $1" 2>/dev/null | sed -n 2p | cut -d, -f1; }

expect 'seconds' "$(first 1)" '1970-01-01 00:00:00'
expect 'milliseconds' "$(first 2)" '2026-09-21 14:13:20'
expect 'microseconds' "$(first 3)" '1970-01-01 00:00:00'
expect 'nanoseconds' "$(first 4)" '1970-01-01 00:00:00'
