#!/usr/bin/env bash
# ulogd2 2.0.8 (Debian 2.0.8-1), NFCT to IPFIX: a flow's counters are the sum of both directions, an IPv6 flow's addresses are 0.0.0.0, and its
# start is 0. Flows are held until a message is full; what is held when ulogd ends is lost, which only its log says.
#
#   flows: 127.0.0.1 and ::1, each 40 packets one way and 120 the other
#   sent as: 160 packets, for ::1 from 0.0.0.0 to 0.0.0.0; after SIGTERM no datagram has been sent, and "2 flows have been lost"
#
# The same input written by ulogd's JSON output has both directions and the addresses.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2 ulogd2=2.0.8-1

echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct
nft add table inet track
nft add chain inet track output '{ type filter hook output priority 0; }'
nft add rule inet track output ct state new accept

plugins=$root/usr/lib/x86_64-linux-gnu/ulogd
cat >"$work/ulogd.conf" <<CONF
[global]
logfile="$work/ulogd.log"
loglevel=1
plugin="$plugins/ulogd_inpflow_NFCT.so"
plugin="$plugins/ulogd_output_IPFIX.so"
stack=flows:NFCT,out:IPFIX
[flows]
event_mask=0x00000004
hash_enable=0
[out]
oid=1
host="127.0.0.1"
port=4739
proto="udp"
CONF
cat >"$work/collector.py" <<'PYTHON'
import socket
collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
collector.bind(("127.0.0.1", 4739))
print("ready", flush=True)
while True:
    print(len(collector.recv(65535)), flush=True)
PYTHON
cat >"$work/traffic.py" <<'PYTHON'
import socket
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server, client = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
    server.bind((host, 0))
    for _ in range(40):
        client.sendto(b"question", server.getsockname())
        _, peer = server.recvfrom(100)
        for _ in range(3):
            server.sendto(b"answer", peer)
            client.recv(100)
PYTHON

python3 "$work/collector.py" >"$work/received" &
ulogd -c "$work/ulogd.conf" &
ulogd=$!
until grep -q 'entering main loop' "$work/ulogd.log" 2>/dev/null && grep -q ready "$work/received"; do sleep 0.05; done
python3 "$work/traffic.py"
conntrack -D -p udp -d 127.0.0.1 >/dev/null 2>&1
conntrack -D -f ipv6 -p udp -d ::1 >/dev/null 2>&1
until [ "$(grep -c 'Got new packet' "$work/ulogd.log")" = 2 ]; do sleep 0.05; done
kill -TERM $ulogd
wait $ulogd || true
flow() { grep 'Got new packet' "$work/ulogd.log" | sed -n "$1p" | sed -E 's/, sport.*//; s/.*Got new packet //; s/bytes = [0-9]+, //; s/, [0-9]+\),/, END),/'; }

expect 'the IPv4 flow' "$(flow 1)" '(packets = 160, flow = (0, END), saddr = 127.0.0.1, daddr = 127.0.0.1'
expect 'the IPv6 flow' "$(flow 2)" '(packets = 160, flow = (0, END), saddr = 0.0.0.0, daddr = 0.0.0.0'
expect 'datagrams received' "$(grep -cv ready "$work/received" || true)" 0
expect 'what the log says at the end' "$(grep -oE '[0-9]+ flows have been lost' "$work/ulogd.log")" '2 flows have been lost'
