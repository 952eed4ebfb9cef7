#!/bin/sh
# An external classifier for ConntrackStream: each set of addresses belongs on a path; a flow to one of them that is on another path is told to move.
# Reclassify:External:Command = this file, User = root (ipset needs it). Runs in dash and in busybox ash. docs/plugins.md has the protocol.
#
# PATH=MARK=SET: the path's name as configured under Reclassify, its mark under MASK, and the set's name without its ending .v4 or .v6.
rules=${*:-wan=0x100=app_2 lte=0x200=app_1}
mask=0x3f00

field() { # NAME: its value in $line, without quotes, into $value; empty where there is none
  value=${line#*"\"$1\":"}
  [ "$value" != "$line" ] || value=
  value=${value%%[,\}]*}
  value=${value#\"} value=${value%\"}
}

answer() { printf '{"v":1,"id":%s%s}\n' "$id" "$1"; }

while read -r line; do
  field id; id=$value
  [ -n "$id" ] || continue # the hello
  field dst; destination=$value
  field mark; mark=$((${value:-0} & mask))
  case $destination in *:*) ending=v6 ;; *) ending=v4 ;; esac
  verdict= # no opinion
  for rule in $rules; do
    set_name=${rule##*=}.$ending path=${rule%%=*} path_mark=${rule#*=}
    ipset -q test "$set_name" "$destination" >/dev/null || continue
    if [ $((${path_mark%%=*})) -eq "$mark" ]; then verdict=',"keep":true'; else verdict=",\"path\":\"$path\""; fi
    verdict="$verdict,\"reason\":\"ipset $set_name\",\"ttl_ms\":10000"
    break
  done
  answer "$verdict"
done
