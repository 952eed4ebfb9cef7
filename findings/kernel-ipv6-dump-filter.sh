#!/usr/bin/env bash
# Linux 6.18, ctnetlink: a dump filtered by IPv6 address (CTA_FILTER, with the source address named in its flags) returns the entries that do
# NOT have it. The same filter by IPv4 address returns those that have it.
#
#   entries 2001:db8::1 -> ::9 and 2001:db8::2 -> ::9; asked for source 2001:db8::1: the kernel returns the one from 2001:db8::2
#
# conntrack-tools is not affected: it compares addresses itself. A program that lets the kernel do it sees the wrong part of the table.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

for host in 1 2; do
  conntrack -I -p udp -s 2001:db8::$host -d 2001:db8::9 --sport 1000 --dport 53 -t 100 >/dev/null 2>&1
  conntrack -I -p udp -s 192.0.2.$host -d 192.0.2.9 --sport 1000 --dport 53 -t 100 >/dev/null 2>&1
done
cat >"$work/dump.py" <<'PYTHON'
import ipaddress
import socket
import struct
import sys

CTA_TUPLE_ORIG, CTA_TUPLE_IP, CTA_FILTER, NESTED = 1, 1, 25, 0x8000
CTA_FILTER_ORIG_FLAGS, CTA_FILTER_F_CTA_IP_SRC = 1, 1
NLMSG_ERROR, NLMSG_DONE = 2, 3

address = ipaddress.ip_address(sys.argv[1])
family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
source = 3 if address.version == 6 else 1  # CTA_IP_V6_SRC, CTA_IP_V4_SRC


def attribute(kind, body):
    return struct.pack("HH", 4 + len(body), kind) + body


body = struct.pack("BBH", family, 0, 0)
body += attribute(CTA_TUPLE_ORIG | NESTED, attribute(CTA_TUPLE_IP | NESTED, attribute(source, address.packed)))
body += attribute(CTA_FILTER | NESTED, attribute(CTA_FILTER_ORIG_FLAGS, struct.pack("I", CTA_FILTER_F_CTA_IP_SRC)))
request = struct.pack("IHHII", 16 + len(body), 0x0101, 0x0301, 1, 0) + body  # IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
netlink.settimeout(5)
netlink.send(request)
found, kind = [], 0
while kind != NLMSG_DONE:
    data = netlink.recv(65536)
    while data and kind != NLMSG_DONE:
        length, kind = struct.unpack_from("IH", data)
        if kind == NLMSG_ERROR:
            sys.exit(f"the kernel answers {struct.unpack_from('i', data, 16)[0]}")
        if kind != NLMSG_DONE:  # the first attribute is the original tuple, its first the addresses, the first of them the source
            found.append(str(ipaddress.ip_address(data[32:32 + len(address.packed)])))
        data = data[(length + 3) & ~3:]
print(*found)
PYTHON

expect 'IPv4, asked for 192.0.2.1' "$(python3 "$work/dump.py" 192.0.2.1)" 192.0.2.1
expect 'IPv6, asked for 2001:db8::1' "$(python3 "$work/dump.py" 2001:db8::1)" 2001:db8::2
