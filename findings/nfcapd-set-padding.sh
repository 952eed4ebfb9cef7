#!/usr/bin/env bash
# nfcapd 1.7.1 (Debian 1.7.1-2+deb12u1): padding of four bytes or more at the end of a data set is taken for a record that is cut off.
#
# RFC 7011, section 3.3.1: a set may end in padding, which is shorter than any record that the set may have. nfcapd knows padding of up to three
# bytes only. Of a set with records of 45 bytes and
#
#   3 bytes of padding: nothing is reported
#   4 or 20 bytes:      "SequencerRun() ERROR - Attempt to read beyond input stream size", and
#                       "Process ipfix: Sequencer run error. Skip record processing", for each set
#
# The records are stored all the same. An exporter that pads its messages to one length, so that one call of the kernel can cut and send many
# (UDP_SEGMENT), fills the collector's log.
source "$(dirname "$0")/lib.sh"
with nfdump=1.7.1-2+deb12u1

report() {
  rm -rf "$work/flows" && mkdir "$work/flows"
  nfcapd -w "$work/flows" -b 127.0.0.1 -p 9995 -t 3600 >"$work/nfcapd.log" 2>&1 &
  local nfcapd=$!
  until ss -uln | grep -q ':9995 '; do sleep 0.05; done
  PADDING=$1 python3 "$(dirname "$0")/ipfix.py" 9995 8/4=10.0.0.1 12/4=192.0.2.1 4/1=17 7/2=1000 11/2=53 1/8=100 2/8=1 \
    152/8=1790000000000 153/8=1790000005000
  sleep 1 # the datagram lies in nfcapd's socket; it reads it before it ends
  kill -TERM $nfcapd && wait $nfcapd
  grep -o 'Attempt to read beyond input stream size\|Flows: [0-9]*' "$work/nfcapd.log" | paste -sd' '
}

expect '3 bytes of padding' "$(report 3)" 'Flows: 1'
expect '4 bytes of padding' "$(report 4)" 'Attempt to read beyond input stream size Flows: 1'
expect '20 bytes of padding' "$(report 20)" 'Attempt to read beyond input stream size Flows: 1'
