#!/usr/bin/env bash
# conntrack 1.4.7 (Debian 1:1.4.7-1+b2), Linux 6.18: an update looks up in zone 0 what it has found in any zone.
#
# Entries in zone 0 (to ….1) and in zone 5 (to ….2), updated by `conntrack -U -f ipv4 -m 7`:
#
#   to ….1, zone 0:  mark=7
#   to ….2, zone 5:  mark=0, exit code 0; whether "Operation failed" is printed varies
#
# With a twin of the second one in zone 0 the twin is updated, in place of the entry. A zone cannot be named: "Illegal option
# `--zone' with this command".
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

make() { conntrack -I -p udp -s 192.0.2.1 -d "$1" --sport 1000 --dport 53 -t 300 -w "$2" >"$work/out" 2>&1; }
mark() { conntrack -L -w "$2" -d "$1" 2>"$work/said" | grep -o 'mark=[0-9]*'; }
update() { conntrack -U -f ipv4 "$@" >"$work/out" 2>"$work/said"; }

make 198.51.100.1 0
make 198.51.100.2 5
expect 'exit code' "$(update -m 7 && echo $?)" 0
expect 'what it says' "$(grep -o '[0-9]* flow entries.*' "$work/said")" '1 flow entries have been updated.'
expect 'mark in zone 0' "$(mark 198.51.100.1 0)" mark=7
expect 'mark in zone 5' "$(mark 198.51.100.2 5)" mark=0
make 198.51.100.2 0
update -d 198.51.100.2 -m 9
expect 'mark of the twin' "$(mark 198.51.100.2 0)" mark=9
expect 'mark in zone 5 then' "$(mark 198.51.100.2 5)" mark=0
expect 'with a zone' "$(update -w 5 -m 9 || grep -o 'Illegal.*' "$work/said")" "Illegal option \`--zone' with this command"
