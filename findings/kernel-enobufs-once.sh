#!/usr/bin/env bash
# Linux 6.18, netlink multicast: ENOBUFS says once that a socket's queue was full. From then on the kernel drops every further message for it,
# however much room there is, until the program has read the queue empty (NETLINK_S_CONGESTED in af_netlink.c), and does not say so again.
#
#   queue overrun; recv: ENOBUFS; 5 messages read; a change: dropped, no error follows; queue read empty; a change: received
#
# So a program that asks for the whole state as soon as it sees ENOBUFS misses what changes meanwhile. With NETLINK_NO_ENOBUFS the change is
# received. The column Drops of /proc/net/netlink counts every loss.
source "$(dirname "$0")/lib.sh"
with nftables=1.0.6-2+deb12u2

nft 'table inet t { set s { type ipv4_addr; }; }'
cat >"$work/listen.py" <<'PYTHON'
import errno
import socket
import subprocess
import sys

NETLINK_NETFILTER, NFNLGRP_NFTABLES, SOL_NETLINK, NETLINK_NO_ENOBUFS = 12, 7, 270, 5
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
netlink.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, sys.argv[1] == "quiet")
netlink.bind((0, 1 << (NFNLGRP_NFTABLES - 1)))
netlink.setblocking(False)


def add(*numbers):
    """One transaction, and so at least one message, for each."""
    for number in numbers:
        subprocess.run(["nft", f"add element inet t s {{ 10.0.0.{number} }}"], check=True)


def read(most=1000):
    """How many messages there were, and the error at the end."""
    for count in range(most):
        try:
            netlink.recv(65536)
        except OSError as failure:
            return count, errno.errorcode[failure.errno]
    return most, "-"


def drops():
    with open("/proc/net/netlink", encoding="ascii") as lines:
        return next(int(line.split()[8]) for line in lines if line.split()[1] == "12" and line.split()[3] != "00000000")


add(*range(1, 60))
print("overrun", read()[1] if sys.argv[1] == "told" else "-", drops() > 0)
read(5)
before = drops()
add(100)
print("with room", drops() - before, "dropped")
print("then", read()[1])
add(101)
print("from empty", read()[0] > 0)
PYTHON

expect 'with ENOBUFS' "$(python3 "$work/listen.py" told | paste -sd ';')" 'overrun ENOBUFS True;with room 2 dropped;then EAGAIN;from empty True'
nft flush set inet t s
expect 'with NETLINK_NO_ENOBUFS' "$(python3 "$work/listen.py" quiet | paste -sd ";")" 'overrun - True;with room 0 dropped;then EAGAIN;from empty True'
