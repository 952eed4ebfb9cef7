#!/bin/bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: an expectation that is made for TCP is one of another protocol, and of no ports.
#
# A flow to port 21 with the ftp helper, one to port 69 with tftp's, and for each `conntrack -I expect -p PROTOCOL …` with the ports 0 and 9000:
#
#   -p tcp:    proto=35 src=198.51.100.1 dst=198.51.100.2
#   -p udp:    proto=17 src=198.51.100.1 dst=198.51.100.2 sport=0 dport=9000
#
# Exit code 0 in both cases. A connection from the one address to the other is not taken for related to the first, so a firewall that lets
# in `ct state related` drops it.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2

sysctl -qw net.netfilter.nf_conntrack_events=1 # a helper needs an extension of the entry, which is made when it has one already
nft 'table inet t {
  ct helper control { type "ftp" protocol tcp; }; ct helper transfer { type "tftp" protocol udp; }
  chain c { type filter hook output priority 10; tcp dport 21 ct helper set "control"; udp dport 69 ct helper set "transfer"; }; }'
python3 - <<'PYTHON'
import socket

server = socket.create_server(("127.0.0.1", 21))
socket.create_connection(("127.0.0.1", 21), source_address=("127.0.0.1", 4000))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
    other.bind(("127.0.0.1", 4000))
    other.sendto(b"x", ("127.0.0.1", 69))
PYTHON

made() { # PROTOCOL PORT
  quietly conntrack -I expect -s 127.0.0.1 -d 127.0.0.1 -p "$1" --sport 4000 --dport "$2" -t 200 --tuple-src 198.51.100.1 --tuple-dst 198.51.100.2 \
    --tuple-port-src 0 --tuple-port-dst 9000 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535
  conntrack -L expect 2>/dev/null | grep -o 'proto=.* mask-src' | sed 's/ mask-src//'
  quietly conntrack -F expect
}

expect 'for TCP' "$(made tcp 21)" 'proto=35 src=198.51.100.1 dst=198.51.100.2'
expect 'for UDP' "$(made udp 69)" 'proto=17 src=198.51.100.1 dst=198.51.100.2 sport=0 dport=9000'
