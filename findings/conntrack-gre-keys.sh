#!/usr/bin/env bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: the keys of GRE make and show an entry, but select none.
#
# Two GRE entries (PPTP's call ids) between the same hosts, with the keys 1 and 7 at their source:
#
#   conntrack -L -p gre --srckey 7:      both
#   conntrack -D -p gre --srckey 7:      both deleted, so a second tunnel between the hosts is cut as well
#   conntrack -G with the whole tuple:   the right one
#   conntrack -L -p udp --sport 7:       of two UDP entries the right one
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

for key in 1 7; do
  quietly conntrack -I -p gre -s 192.0.2.1 -d 198.51.100.1 --srckey $key --dstkey 9 --reply-key-src 9 --reply-key-dst $key -t 300
  quietly conntrack -I -p udp -s 192.0.2.1 -d 198.51.100.1 --sport $key --dport 9 -t 300
done
expect 'keys that are shown' "$(conntrack -L -p gre 2>"$work/said" | grep -o 'srckey=[0-9a-fx]* dstkey=0x9' | sort | paste -sd' ')" \
  'srckey=0x1 dstkey=0x9 srckey=0x7 dstkey=0x9'
expect '-L -p gre --srckey 7' "$(lines conntrack -L -p gre --srckey 7)" 2
expect '-L -p udp --sport 7' "$(lines conntrack -L -p udp --sport 7)" 1
expect '-G' "$(conntrack -G -p gre -s 192.0.2.1 -d 198.51.100.1 --srckey 7 --dstkey 9 2>"$work/said" | grep -o 'srckey=[0-9a-fx]*' | head -1)" 'srckey=0x7'
expect '-D -p gre --srckey 7' "$(lines conntrack -D -p gre --srckey 7)" 2
expect 'left of GRE' "$(lines conntrack -L -p gre)" 0
