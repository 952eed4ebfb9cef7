#!/usr/bin/env bash
# Linux 6.18, nsfs: the link of a descriptor in /proc/self/fd names the namespace only where it was opened through /proc. Opened through a bind
# mount, as `ip netns add` makes, the link is the path of the mount: it does not say which namespace that is.
#
#   opened by /proc/self/ns/net: net:[4026532490]; the same one opened by its path: the path
#
# So a program that compares namespaces by these links never notices that another one has taken the name. The inode does not deceive: `ino:` in
# /proc/self/fdinfo (since Linux 5.14), or statx.
source "$(dirname "$0")/lib.sh"
with util-linux=2.38.1-5+deb12u3

link() { readlink "/proc/$$/fd/$1"; }
inode() { awk '/^ino:/ { print $2 }' "/proc/$$/fdinfo/$1"; }

touch "$work/name"
exec 7</proc/self/ns/net
mount --bind /proc/self/ns/net "$work/name"
exec 8<"$work/name"
unshare --net mount --bind /proc/self/ns/net "$work/name"
exec 9<"$work/name" # another namespace has the name

expect 'opened by /proc' "$(link 7)" "net:[$(inode 7)]"
expect 'opened by its path' "$(link 8)" "$work/name"
expect 'another one, opened by the same path' "$(link 9)" "$work/name"
expect 'inodes: the first two are one, the third is another' "$(inode 7) $(inode 8) $([ "$(inode 9)" != "$(inode 8)" ] && echo other)" \
  "$(inode 7) $(inode 7) other"
