#!/usr/bin/env bash
# libnetfilter_conntrack 1.0.9 (Debian 1.0.9-3), as in conntrack -o xml (1.4.7): an ICMP flow's <layer4> is empty.
#
#   <layer4 protonum="1" protoname="icmp"></layer4>
#
# Type, code and id are left out, so that two pings between the same hosts differ in nothing but the kernel's entry id. The text format shows
# them (type=8 code=0 id=77), and so does -o save. A reader of the XML cannot key ICMP flows by their tuple.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2 libnetfilter-conntrack3=1.0.9-3

for id in 77 78; do
  conntrack -I -p icmp -s 192.0.2.1 -d 192.0.2.2 --icmp-type 8 --icmp-code 0 --icmp-id $id -t 100 >/dev/null 2>&1
done
conntrack -I -p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 79 -t 100 >/dev/null 2>&1
conntrack -L -o xml 2>/dev/null >"$work/xml"
conntrack -L 2>/dev/null >"$work/text"

expect 'flows in the text with an ICMP id' "$(grep -cE 'type=[0-9]+ code=0 id=7[789] ' "$work/text")" 3
expect 'flows in the XML' "$(grep -c '<flow>' "$work/xml")" 3
expect 'empty <layer4> for ICMP' "$(grep -cF '<layer4 protonum="1" protoname="icmp"></layer4>' "$work/xml")" 2
expect 'empty <layer4> for ICMPv6' "$(grep -cE '<layer4 protonum="58" protoname="[^"]*"></layer4>' "$work/xml")" 1
expect 'different IPv4 flows in the XML, but for the entry id' \
  "$(grep 'protonum="1"' "$work/xml" | sed -E 's/<id>[0-9]+<\/id>//; s/<timeout>[0-9]+<\/timeout>//' | sort -u | wc -l)" 1
