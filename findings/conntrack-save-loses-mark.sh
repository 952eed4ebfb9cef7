#!/usr/bin/env bash
# conntrack-tools 1.4.7 (Debian 1:1.4.7-1+b2): `-o save` leaves out the mark, and the ports of DCCP; `-R` refuses a file of which one line
# cannot be read, whole.
#
#   conntrack -L -o save > F; conntrack -F; conntrack -R F      restores every entry with mark=0
#   A DCCP entry is saved as "… -p dccp", without ports and state. `conntrack -R` of a file that holds such a line prints
#   "You need to supply the `--state' option for this command", ends with 2 and restores none of the other entries.
#
# On a gateway that routes by connmark, a table that was saved and restored this way sends established flows to the default uplink.
source "$(dirname "$0")/lib.sh"
with conntrack=1:1.4.7-1+b2

conntrack -I -p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1000 --dport 53 -t 100 -m 0x10 >/dev/null 2>&1
expect 'the mark before' "$(conntrack -L 2>/dev/null | grep -o 'mark=[0-9]*')" mark=16
conntrack -L -o save 2>/dev/null >"$work/saved"
expect 'the saved line has no mark' "$(grep -cE -- '(-m|--mark) ' "$work/saved" || true)" 0
conntrack -F >/dev/null 2>&1
conntrack -R "$work/saved" >/dev/null 2>&1
expect 'the mark after' "$(conntrack -L 2>/dev/null | grep -o 'mark=[0-9]*')" mark=0

conntrack -I -p dccp -s 10.0.0.2 -d 192.0.2.1 --orig-port-src 5 --orig-port-dst 6 -t 100 --state OPEN --role client >/dev/null 2>&1
conntrack -L -o save 2>/dev/null >"$work/both"
expect 'entries saved' "$(wc -l <"$work/both")" 2
conntrack -F >/dev/null 2>&1
status=0
message=$(conntrack -R "$work/both" 2>&1) || status=$?
expect 'exit status of -R' "$status" 2
expect 'message of -R' "$(head -n 1 <<<"$message" | cut -d: -f2)" " You need to supply the \`--state' option for this command"
expect 'entries restored' "$(conntrack -C 2>/dev/null)" 0
