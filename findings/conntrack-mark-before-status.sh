#!/usr/bin/env bash
# conntrack-tools 1.4.7 (Debian 1:1.4.7-1+b2): `--mark` given before `--status` is replaced by the status bits.
#
#   conntrack -I … -m 0x10 -u SEEN_REPLY      makes an entry with mark=2   (IPS_SEEN_REPLY is bit 1)
#   conntrack -I … -m 0x10 -u ASSURED         makes an entry with mark=4   (IPS_ASSURED is bit 2)
#   conntrack -I … -u SEEN_REPLY -m 0x10      makes an entry with mark=16, as asked for
#
# Exit status 0 and no message in all three cases. Whoever restores entries by such commands gives --status first.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

mark_of() { # SOURCE OPTIONS…
  local source=$1
  shift
  conntrack -I -p tcp -s "$source" -d 192.0.2.1 --sport 1000 --dport 80 --state ESTABLISHED -t 100 "$@" >/dev/null 2>&1
  conntrack -L -s "$source" 2>/dev/null | grep -o 'mark=[0-9]*'
}

expect '-m 0x10 -u SEEN_REPLY' "$(mark_of 10.0.0.1 -m 0x10 -u SEEN_REPLY)" mark=2
expect '-m 0x10 -u ASSURED' "$(mark_of 10.0.0.2 -m 0x10 -u ASSURED)" mark=4
expect '-m 0x10 -u UNSET' "$(mark_of 10.0.0.3 -m 0x10 -u UNSET)" mark=0
expect '-u SEEN_REPLY -m 0x10' "$(mark_of 10.0.0.4 -u SEEN_REPLY -m 0x10)" mark=16
