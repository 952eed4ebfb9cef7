#!/bin/bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: a flush of one family empties the table of both.
#
# One entry of each family:
#
#   conntrack -F -f ipv6:    "connection tracking table has been emptied", and so it is: the IPv4 entry is gone, too
#   conntrack -D -f ipv6:    deletes the IPv6 entry alone
#
# The request names the family, but the kernel heeds it only in messages of nfnetlink version 1, and conntrack sends version 0.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

make() {
  quietly conntrack -I -p udp -s 192.0.2.1 -d 198.51.100.1 --sport 1000 --dport 53 -t 300
  quietly conntrack -I -p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1000 --dport 53 -t 300
}
left() { echo "$(lines conntrack -L -f ipv4) IPv4, $(lines conntrack -L -f ipv6) IPv6"; }

make
expect 'before' "$(left)" '1 IPv4, 1 IPv6'
quietly conntrack -F -f ipv6
expect 'flush of IPv6, said' "$(cat "$work/out")" 'conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.'
expect 'flush of IPv6, left' "$(left)" '0 IPv4, 0 IPv6'
make
quietly conntrack -D -f ipv6
expect 'deletion of IPv6, left' "$(left)" '1 IPv4, 0 IPv6'
