#!/usr/bin/env bash
# Linux 6.18, connection tracking with nf_conntrack_acct: a buffer that the kernel or the device cuts later (UDP_SEGMENT, TCP's TSO and GRO)
# counts as one packet, and its headers once. nftables' counters and the counters of a veth do the same.
#
# 64 datagrams of 100 bytes, sent by one call with UDP_SEGMENT over loopback, received as 64:
#
#   conntrack -L:                packets=1  bytes=6428        (64 and 8192 on a wire: each has 28 bytes of headers)
#   nft counter (input):         packets 1 bytes 6428
#   /proc/net/snmp OutDatagrams: 1
#   /proc/net/snmp InDatagrams:  64
#   without UDP_SEGMENT:         packets=64 bytes=8192
#
# So a flow log made from conntrack's counters shows fewer packets, and somewhat fewer bytes, than a probe on the wire; on a gateway whose
# interfaces have generic-receive-offload on, that is most of TCP.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2

cat >"$work/send.py" <<'PYTHON'
import socket
import sys

SOL_UDP, UDP_SEGMENT = 17, 103  # linux/udp.h
COUNT, SIZE = 64, 100


def udp(name):
    names, values = (line.split() for line in open("/proc/net/snmp") if line.startswith("Udp:"))
    return int(values[names.index(name)])


receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
receiver.bind(("127.0.0.1", int(sys.argv[2])))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(receiver.getsockname())
sent, taken = udp("OutDatagrams"), udp("InDatagrams")
if sys.argv[1] == "cut":
    sender.setsockopt(SOL_UDP, UDP_SEGMENT, SIZE)
    sender.send(bytes(COUNT * SIZE))
else:
    for _ in range(COUNT):
        sender.send(bytes(SIZE))
for _ in range(COUNT):
    assert len(receiver.recv(2000)) == SIZE
print(udp("OutDatagrams") - sent, udp("InDatagrams") - taken)
PYTHON

echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct
nft 'table ip t { chain o { type filter hook output priority 0; ct state new accept; }; }'
nft 'table ip t { chain i { type filter hook input priority 0; udp dport 9001 counter; }; }'
counters() { conntrack -L -p udp --dport "$1" 2>"$work/shown" | grep -o 'packets=[0-9]* bytes=[0-9]*' | head -1; }

expect 'one by one: OutDatagrams, InDatagrams' "$(python3 "$work/send.py" each 9000)" '64 64'
expect 'one by one: conntrack' "$(counters 9000)" 'packets=64 bytes=8192'
expect 'UDP_SEGMENT: OutDatagrams, InDatagrams' "$(python3 "$work/send.py" cut 9001)" '1 64'
expect 'UDP_SEGMENT: conntrack' "$(counters 9001)" 'packets=1 bytes=6428'
expect 'UDP_SEGMENT: nft counter' "$(nft list chain ip t i | grep -o 'packets [0-9]* bytes [0-9]*')" 'packets 1 bytes 6428'
