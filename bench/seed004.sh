#!/bin/sh
# How seed 004 describes it: conntrack's events into a loop that asks ipset about each new flow's destination, one process a question, and compares
# the answer with the flow's mark. Where it would delete, it says so. Arguments: test or list, and how many of the sets app_0, app_1, … to ask.
# Even ones belong on mark 256, odd ones on 512.
conntrack -E -e NEW | while read -r line; do
	destination=${line#* dst=}
	destination=${destination%% *}
	mark=${line##* mark=}
	[ "$destination" = "$last" ] && continue
	last=$destination
	set=0
	while [ "$set" -lt "$2" ]; do
		if [ "$1" = test ]; then
			ipset test "app_$set" "$destination" 2>/dev/null
		else
			ipset list "app_$set" | grep -q "^$destination "
		fi && break
		set=$((set + 1))
	done
	[ "$set" -lt "$2" ] && [ "${mark%% *}" != $(((set % 2 + 1) * 256)) ] && action=delete || action=keep
	echo "$action $destination"
done
