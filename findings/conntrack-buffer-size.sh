#!/usr/bin/env bash
# conntrack-tools 1.4.7 (Debian 1:1.4.7-1+b2): `conntrack -E -b BYTES` prints "Netlink socket buffer size has been set to …", but sets that of
# its request socket. The event socket keeps net.core.rmem_default.
#
#   conntrack -E -b 8388608    request socket 16777216 bytes as root (the kernel doubles), event socket 212992: about 160 events
#
# So -b changes nothing about events that are lost in a burst; net.core.rmem_default, before the program starts, does.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 iproute2=6.1.0-3

conntrack -E -b 8388608 >"$work/events" 2>"$work/messages" &
conntrack=$!
events() { awk '$2 == 12 && $4 != "00000000" {print $3}' /proc/net/netlink; } # port id of the netfilter socket that is in multicast groups
until [ -n "$(events)" ] && grep -q 'buffer size' "$work/messages"; do sleep 0.05; done
# ss shows the port id of a process's first socket as NAME/PID, of others as a signed number.
buffer_of() { ss -f netlink -m | grep -F ":$1 " | grep -oE 'rb[0-9]+' | sort -u; }
event_port=$(events)
[ "$event_port" -le 2147483647 ] || event_port=$((event_port - 4294967296))

said=$(grep -oE 'set to [0-9]+' "$work/messages" | grep -oE '[0-9]+') # what net.core.rmem_max allows where the user may not force it

expect 'a larger buffer is reported' "$([ "$said" -gt 212992 ] && echo larger)" larger
expect 'the request socket has it' "$(buffer_of "conntrack/$conntrack")" "rb$said"
expect 'the event socket has not' "$(buffer_of "$event_port")" rb212992
kill -INT $conntrack
