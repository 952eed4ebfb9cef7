#!/usr/bin/env bash
# pmacct 1.7.7 (nfacctd, Debian 1.7.7-1+b1): TCP flags sent in the two bytes that IANA registers for tcpControlBits (6, unsigned16, RFC 7125)
# are read as 0, without a message. In one byte (reduced-size encoding, RFC 7011 section 6.2) they are read.
#
#   6/2 = 18 (SYN ACK)    TCP_FLAGS 0
#   6/1 = 18              TCP_FLAGS 18
#
# An exporter that does not know its collector sends one byte.
source "$(dirname "$0")/lib.sh"
with pmacct=1.7.7-1+b1

cat >"$work/nfacctd.conf" <<CONF
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: 9996
plugins: print
aggregate: dst_port, tcpflags
print_output: csv
print_output_file: $work/flows.csv
print_refresh_time: 1
print_output_file_append: true
CONF
nfacctd -f "$work/nfacctd.conf" >"$work/nfacctd.log" 2>&1 &
until ss -uln | grep -q ':9996 '; do sleep 0.05; done
send() {
  python3 "$(dirname "$0")/ipfix.py" 9996 8/4=10.0.0.1 12/4=192.0.2.1 7/2=1000 "11/2=$1" 4/1=6 1/8=4000 2/8=10 \
    152/8=1790000000000 153/8=1790000005000 "$2"
}
send 1 6/1=18
send 2 6/2=18
until [ "$(grep -c ',4000$' "$work/flows.csv" 2>/dev/null)" = 2 ]; do sleep 0.1; done

expect 'one byte' "$(grep '^1,' "$work/flows.csv")" '1,18,10,4000'
expect 'two bytes' "$(grep '^2,' "$work/flows.csv")" '2,0,10,4000'
