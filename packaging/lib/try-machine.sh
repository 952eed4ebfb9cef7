# shellcheck shell=bash disable=SC2154
# A Debian of its own under its own systemd, in systemd-nspawn with a network namespace of its own. Sourced by packaging/try.
machine=''
leader=''

readonly unit=conntrack-stream.service
readonly log=/var/log/conntrack-stream/flows.json
readonly settings=/etc/conntrack-stream/appsettings.json
readonly drop_ins=/etc/systemd/system/$unit.d

try_machine() {
  local suite=$1
  step 'Debian packages for this part' install_packages systemd-container debootstrap debhelper fakeroot
  step "$suite: root of packages" machine_root "$suite"
  step "$suite: package of a release before" release_before
  step "$suite: boots" machine_on "$suite"
  [ -n "$leader" ] || return

  step "$suite: from apt install to the first record in under a minute" first_record
  step "$suite: the service is its own user, with CAP_NET_ADMIN alone" has_one_capability
  step "$suite: sysctls are set, although nothing else of /proc/sys can be written" sysctls_set
  step "$suite: its files are its own, and its group's to read" files_are_its_own
  step "$suite: systemd-analyze security says at most 1.5" exposure_at_most 1.5
  step "$suite: systemd-analyze verify has nothing to say" inside systemd-analyze verify --man=no "/lib/systemd/system/$unit"
  step "$suite: root and who is in the group can ask it" can_ask
  step "$suite: doctor finds nothing that keeps it from working" inside conntrack-stream doctor
  refused "$suite: another user cannot" "not permitted" inside runuser -u nobody -- conntrack-stream health

  step "$suite: kill -9: it is started again" started_again_after kill -9
  step "$suite: and the log has a restart gap" until_true 20 inside grep -q '"event":"gap".*restart' $log
  step "$suite: stuck: the watchdog ends it, it is started again" started_again_by_watchdog
  step "$suite: reload opens the log again" reload_opens_again
  step "$suite: logrotate rotates, and no record goes to the old file" logrotate_rotates
  step "$suite: a wrong configuration ends it with 2, and it stays down" wrong_configuration
  refused "$suite: without its capability it does not start" "CAP_NET_ADMIN" starts_with 'AmbientCapabilities='

  step "$suite: drop-in for a namespace: follows the flows there" namespace_by_systemd
  step "$suite: drop-in for a namespace that is replaced" namespace_followed
  refused "$suite: without that drop-in the name cannot be followed" "blue.*(EPERM|CAP_SYS_ADMIN|not permitted)" starts_in_namespace
  step "$suite: drop-in for a map: opens it to delete" map_cleaned
  refused "$suite: without that drop-in the map cannot be opened" "/run/bpf/try: (EACCES|EPERM)" map_opened
  step "$suite: TLS works under the unit's restrictions" tls_works
  step "$suite: drop-in for loopback alone: still there" drop_in_starts loopback
  step "$suite: drop-in for a classifier: still there" drop_in_starts classifier

  step "$suite: upgrade keeps the changed configuration, and starts the new program" upgrade_keeps
  step "$suite: removal ends it, and keeps configuration and logs" removal_keeps
  step "$suite: it comes back with what was kept" comes_back
  step "$suite: purge leaves the user alone" purge_leaves_user
  step "$suite: no other unit failed meanwhile" no_failed_units
  machine_off
}

# A root without the package; apt needs no network for it then.
machine_root() {
  local openssl=libssl3
  [ "$1" = bookworm ] || openssl=libssl3t64
  [ -f "$cache/$1/etc/debian_version" ] && return
  rm -rf "$cache/$1.part"
  debootstrap --variant=minbase \
    --include="systemd,systemd-sysv,dbus,iproute2,procps,logrotate,ca-certificates,bpftool,$openssl" "$1" "$cache/$1.part" || return 1
  rm -rf "$cache/$1.part"/var/cache/apt/archives/*.deb
  mv "$cache/$1.part" "$cache/$1"
}

# The same files under an earlier number: there is no earlier package yet.
release_before() {
  local program=$scratch/deb-program
  dpkg-deb -x "$deb" "$program"
  [ -f "$scratch/before.deb" ] && return
  cp -r artifacts "$scratch/kept"
  packaging/build --only deb --program "$program/usr/bin/conntrack-stream" --version 0.0.9 || return 1
  mv "artifacts/conntrack-stream_0.0.9_$architecture.deb" "$scratch/before.deb"
  rm -f artifacts/*0.0.9*
  cp "$scratch/kept/SHA256SUMS" artifacts/
  rm -rf "$scratch/kept"
}

machine_on() {
  local nspawn
  machine=$scratch/$1
  cp -a "$cache/$1" "$machine" || return 1
  cp "$scratch/before.deb" "$machine/root/before.deb"
  cp "$deb" "$machine/root/new.deb"
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q -D "$machine" --register=no --keep-unit --private-network \
    --capability=CAP_BPF,CAP_NET_ADMIN --system-call-filter=bpf -b >"$scratch/$1.console" 2>&1 </dev/null &
  nspawn=$!
  until_true 20 has_child $nspawn || { tail "$scratch/$1.console"; return 1; }
  leader=$(pgrep -P $nspawn | head -1)
  until_true 60 is_up
}

has_child() { pgrep -P "$1" >/dev/null; }

is_up() { inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }

machine_off() {
  [ -n "$leader" ] || return 0
  kill -s RTMIN+4 "$leader" 2>/dev/null # poweroff
  until_true 30 not kill -0 "$leader" 2>/dev/null || kill -9 "$leader"
  leader=''
  rm -rf "$machine"
}

inside() { nsenter -t "$leader" -a -r -w -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

show() { inside systemctl show "$unit" --property "$1" --value; }

is_active() { [ "$(show ActiveState)" = active ]; }

# Many starts in a row are the trial's own doing.
start_new() { inside systemctl reset-failed "$unit" 2>/dev/null; inside systemctl restart "$unit"; }

restart() { start_new && until_true 10 is_active; }

# One new connection, over loopback.
connect() { inside bash -c ': >/dev/udp/127.0.0.1/9; exec 3<>/dev/udp/127.0.0.1/9; echo x >&3; echo x >&3' 2>/dev/null || true; }

record_comes() {
  connect
  [ "$(inside grep -c '"event":"start"' "${1:-$log}" 2>/dev/null)" -gt 0 ]
}

change() { inside sed -i "$1" "$settings"; }

first_record() {
  local began
  began=$(date +%s%N)
  inside apt-get install -y -qq /root/before.deb || return 1
  change 's/"Track": false/"Track": true/'
  inside systemctl restart "$unit" || return 1
  until_true 60 record_comes || return 1
  printf '%d ms' $((($(date +%s%N) - began) / 1000000)) >"$scratch/first-record"
  printf '        apt install to first record: %s\n' "$(cat "$scratch/first-record")" >&3
}

has_one_capability() {
  local pid
  pid=$(show MainPID)
  inside grep -E '^(Uid|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' "/proc/$pid/status"
  [ "$(inside stat -c %U "/proc/$pid")" = conntrack-stream ] &&
    [ "$(inside grep -cE '^Cap(Eff|Bnd|Amb):\s+0000000000001000$' "/proc/$pid/status")" = 3 ]
}

sysctls_set() {
  [ "$(inside cat /proc/sys/net/netfilter/nf_conntrack_acct)" = 1 ] && [ "$(inside cat /proc/sys/net/netfilter/nf_conntrack_timestamp)" = 1 ] &&
    ! inside nsenter -t "$(show MainPID)" -m sh -c 'echo 1 > /proc/sys/kernel/printk_delay'
}

files_are_its_own() {
  inside stat -c '%U:%G %a %n' $log /var/lib/conntrack-stream /run/conntrack-stream/api.sock | sort | diff - <(
    printf '%s\n' "conntrack-stream:conntrack-stream 640 $log" 'conntrack-stream:conntrack-stream 660 /run/conntrack-stream/api.sock' \
      'conntrack-stream:conntrack-stream 700 /var/lib/conntrack-stream')
}

exposure_at_most() {
  local said
  said=$(inside systemd-analyze security --no-pager "$unit") || true
  said=$(sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p' <<<"$said")
  printf '        systemd-analyze security: %s\n' "$said" >&3
  awk -v said="$said" -v most="$1" 'BEGIN { exit !(said != "" && said <= most) }'
}

can_ask() {
  inside conntrack-stream health && inside conntrack-stream list --live >/dev/null &&
    inside runuser -u nobody -g conntrack-stream -- conntrack-stream health
}

started_again_after() {
  local pid
  pid=$(show MainPID)
  inside "$@" "$pid"
  until_true 20 has_new_pid "$pid"
}

has_new_pid() { is_active && [ "$(show MainPID)" != "$1" ] && [ "$(show MainPID)" != 0 ]; }

drop_in() {
  inside mkdir -p "$drop_ins"
  inside tee "$drop_ins/try.conf" >/dev/null
  inside systemctl daemon-reload
}

no_drop_in() {
  inside rm -rf "$drop_ins"
  inside systemctl daemon-reload
}

started_again_by_watchdog() {
  local pid failed=0
  drop_in <<<$'[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\nRestartSec=100ms'
  restart || return 1
  pid=$(show MainPID)
  inside kill -STOP "$pid"
  until_true 20 has_new_pid "$pid" || failed=1
  until_true 5 journal_has 'Watchdog timeout' || failed=1
  no_drop_in
  restart && return $failed
}

journal_has() { inside journalctl -u "$unit" --no-pager | grep -qF "$1"; }

reload_opens_again() {
  inside mv "$log" "$log.old"
  inside systemctl reload "$unit" && until_true 10 record_comes "$log"
}

logrotate_rotates() {
  local size
  inside cp /etc/logrotate.d/conntrack-stream /root/rotate.conf
  inside logrotate --force /root/rotate.conf || return 1
  until_true 10 inside test -f "$log" || return 1
  size=$(inside stat -c %s "$log.1")
  until_true 10 record_comes "$log" && [ "$(inside stat -c %s "$log.1")" = "$size" ]
}

wrong_configuration() {
  local failed=0
  inside cp "$settings" /root/settings
  change 's/"Keep": 10/"Keep": "many"/'
  start_new
  [ "$(show ActiveState)/$(show ExecMainStatus)" = failed/2 ] || failed=1
  until_true 5 journal_has 'FlowLog:Rotation:Keep: "many" is not a whole number' || failed=1
  inside cp /root/settings "$settings"
  restart && return $failed
}

# Whether it starts with these lines; afterwards it runs without them.
starts_with() {
  local failed=0
  drop_in <<<"[Service]"$'\n'"$1"
  start_new && is_active || failed=1
  inside journalctl -u "$unit" --no-pager -n 12
  no_drop_in
  restart
  return $failed
}

example() { inside cat "/usr/share/doc/conntrack-stream/examples/conntrack-stream-$1.conf"; }

drop_in_starts() {
  local failed=0
  example "$1" | drop_in
  restart && record_comes || failed=1
  inside conntrack-stream health || failed=1
  no_drop_in
  restart && return $failed
}

blue_made() { inside ip netns add blue && inside ip -n blue link set lo up; }

blue_connects() {
  inside ip netns exec blue bash -c 'exec 3<>/dev/udp/127.0.0.7/9; echo x >&3' 2>/dev/null
  inside grep -q '"dst":"127.0.0.7"' "$log"
}

namespace_by_systemd() {
  local failed=0
  blue_made
  example namespace | drop_in
  restart && until_true 10 blue_connects || failed=1
  [ "$(inside grep CapEff "/proc/$(show MainPID)/status" | cut -f2)" = 0000000000001000 ] || failed=1
  inside rm "$log"
  no_drop_in
  restart && return $failed
}

set_namespace() { change 's/"Tap": {/"Tap": { "NetworkNamespace": "blue",/'; }

starts_in_namespace() {
  local failed=0
  set_namespace
  start_new && until_true 5 is_active || failed=1
  inside journalctl -u "$unit" --no-pager -n 12
  change 's/ "NetworkNamespace": "blue",//'
  restart
  return $failed
}

namespace_followed() {
  local failed=0
  example namespace-follow | drop_in
  set_namespace
  restart && until_true 10 blue_connects || failed=1
  inside ip netns del blue
  inside rm "$log"
  inside systemctl reload "$unit"
  blue_made
  until_true 20 blue_connects || failed=1
  no_drop_in
  change 's/ "NetworkNamespace": "blue",//'
  restart && return $failed
}

map_made() {
  inside test -e /run/bpf/try && return
  # nspawn has no /sys/fs/bpf.
  inside mkdir -p /run/bpf && inside mount -t bpf bpf /run/bpf -o mode=700 &&
    inside bpftool map create /run/bpf/try type lru_hash key 24 value 16 entries 1024 name aws_conntrack_m
}

# Whether the service can use the map.
map_opened() {
  local failed=0
  map_made
  change 's|"FlowLog": {|"Map": { "Path": "/run/bpf/try", "Mode": "delete" }, "FlowLog": {|'
  restart
  until_true 10 map_is_usable || failed=1
  inside journalctl -u "$unit" --no-pager -n 5
  change 's|"Map": { "Path": "/run/bpf/try", "Mode": "delete" }, ||'
  return $failed
}

map_is_usable() { inside conntrack-stream stats --live | grep -q '"path":"/run/bpf/try","mode":"delete","id":[0-9]'; }

map_cleaned() {
  local failed=0
  example map | drop_in
  map_opened || failed=1
  no_drop_in
  restart && return $failed
}

tls_works() {
  local failed=0 tls=/etc/conntrack-stream/tls
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout "$machine/root/key.pem" -out "$machine/root/cert.pem"
  inside install -d -g conntrack-stream -m 750 $tls
  inside sh -c "echo 0123456789abcdef >/root/token; install -g conntrack-stream -m 640 -t $tls /root/*.pem /root/token"
  drop_in <<TEXT
[Service]
Environment=CONNTRACKSTREAM__Api__Listen=127.0.0.1:8443 CONNTRACKSTREAM__Api__TokenFile=$tls/token
Environment=CONNTRACKSTREAM__Api__Tls__CertificateFile=$tls/cert.pem CONNTRACKSTREAM__Api__Tls__KeyFile=$tls/key.pem
TEXT
  restart && nsenter -t "$leader" -n curl -fsS --cacert "$machine/root/cert.pem" -H 'Authorization: Bearer 0123456789abcdef' \
    https://127.0.0.1:8443/healthz || failed=1
  inside journalctl -u "$unit" --no-pager -n 5
  inside rm -r $tls
  no_drop_in
  restart && return $failed
}

upgrade_keeps() {
  local pid
  pid=$(show MainPID)
  inside apt-get install -y -qq /root/new.deb || return 1
  inside grep -q '"Track": true' "$settings" && until_true 10 has_new_pid "$pid" &&
    [ "$(inside dpkg-query -W -f '${Version}' conntrack-stream)" = "$version" ] && until_true 10 record_comes "$log"
}

removal_keeps() {
  inside systemctl reset-failed "$unit"
  inside apt-get remove -y -qq conntrack-stream || return 1
  ! inside test -e /usr/bin/conntrack-stream && ! is_active && inside test -f "$settings" && inside test -f "$log" &&
    [ "$(inside cat /proc/sys/net/netfilter/nf_conntrack_acct)" = 0 ]
}

comes_back() { inside apt-get install -y -qq /root/new.deb && until_true 10 is_active && inside grep -q '"Track": true' "$settings"; }

purge_leaves_user() {
  inside apt-get purge -y -qq conntrack-stream || return 1
  ! inside ls -d /etc/conntrack-stream /var/log/conntrack-stream /var/lib/conntrack-stream /etc/logrotate.d/conntrack-stream \
    "/etc/systemd/system/multi-user.target.wants/$unit" 2>/dev/null && inside id conntrack-stream
}

no_failed_units() {
  local failed
  failed=$(inside systemctl list-units --failed --no-legend --plain)
  printf '%s\n' "$failed"
  ! grep -q conntrack <<<"$failed"
}
