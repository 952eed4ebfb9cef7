#!/usr/bin/env bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: the address of -n (--src-nat) selects with IPv4, and is passed over with IPv6.
#
# Two flows of each family, translated to ….1 and to ….2:
#
#   conntrack -L -n 192.0.2.1:                 1 entry
#   conntrack -L -f ipv6 -n 2001:db8:2::1:     both
#   conntrack -L -f ipv6 -n 2001:db8:2::77:    both, though none is translated to it
#   conntrack -D -f ipv6 -n 2001:db8:2::77:    deletes both
#
# So with IPv6 -n ADDRESS means -n alone: every flow whose source is translated.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2

nft 'table inet n { chain p { type nat hook postrouting priority 100; }; }' # the kernel translates
for host in 1 2; do
  conntrack -I -p udp -s 10.0.0.$host -d 10.0.1.1 --sport 1000 --dport 53 -t 300 -n 192.0.2.$host >"$work/out" 2>&1
  conntrack -I -p udp -s 2001:db8::$host -d 2001:db8:1::1 --sport 1000 --dport 53 -t 300 -n 2001:db8:2::$host >"$work/out" 2>&1
done
expect 'entries of IPv6 as made' "$(conntrack -L -f ipv6 2>"$work/said" | grep -o 'dst=2001:db8:2::[12]' | sort | paste -sd' ')" \
  'dst=2001:db8:2::1 dst=2001:db8:2::2'
expect '-L -n of IPv4' "$(lines conntrack -L -n 192.0.2.1)" 1
expect '-L -n of IPv6' "$(lines conntrack -L -f ipv6 -n 2001:db8:2::1)" 2
expect '-L -n of IPv6, to an address that no flow has' "$(lines conntrack -L -f ipv6 -n 2001:db8:2::77)" 2
expect '-D -n of IPv6, to that address' "$(lines conntrack -D -f ipv6 -n 2001:db8:2::77)" 2
expect 'left of IPv6' "$(lines conntrack -L -f ipv6)" 0
