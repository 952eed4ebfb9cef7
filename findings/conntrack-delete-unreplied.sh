#!/usr/bin/env bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: `-u UNREPLIED` selects in a list, and nothing in a deletion.
#
# Two entries that were replied to, one that was not:
#
#   conntrack -L -u UNREPLIED:  1 entry, the right one
#   conntrack -D -u UNREPLIED:  all 3 deleted, the two with a reply as well
#   conntrack -D -u ASSURED:    those two, as asked for
#
# UNREPLIED is no bit of the status but the absence of one. For a list conntrack leaves it to the kernel's filter of dumps, which a deletion
# does not use; what it compares itself is then a status of 0, which every entry meets.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

entries() {
  quietly conntrack -F
  for host in 1 2; do
    quietly conntrack -I -p udp -s 192.0.2.1 -d "198.51.100.$host" --sport 1000 --dport 53 -t 300 -u SEEN_REPLY,ASSURED
  done
  quietly conntrack -I -p udp -s 192.0.2.1 -d 198.51.100.3 --sport 1000 --dport 53 -t 300
}
entries
expect 'entries' "$(lines conntrack -L)" 3
expect '-L -u UNREPLIED' "$(lines conntrack -L -u UNREPLIED)" 1
expect '-D -u UNREPLIED' "$(lines conntrack -D -u UNREPLIED)" 3
expect 'left of it' "$(lines conntrack -L)" 0
entries
expect '-D -u ASSURED' "$(lines conntrack -D -u ASSURED)" 2
expect 'left of that' "$(lines conntrack -L)" 1
