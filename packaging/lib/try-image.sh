# shellcheck shell=bash disable=SC2154
# The container image, by podman, in a network namespace of its own. Sourced by packaging/try.
readonly image_name=localhost/conntrack-stream:$version
readonly image_space=conntrack-stream-try-$$
image_holder=''

try_image() {
  local archive=$PWD/artifacts/conntrack-stream-$version-amd64.oci.tar
  step 'Debian packages for this part' install_packages podman crun netavark iproute2 socat
  step 'podman has what it needs' image_on
  step 'the image is read' image_read "$archive"
  step 'version runs without network, privileges or a writable root' \
    run_image --rm --network=none "$image_name" version
  refused 'there is no shell' 'not found|[Nn]o such file' run_image --rm --network=none --entrypoint /bin/sh "$image_name" -c true
  refused 'nor another program' 'not found|[Nn]o such file' run_image --rm --network=none --entrypoint /usr/bin/env "$image_name"
  step 'TLS works: authorities are there, OpenSSL is opened' tls_refuses_stranger
  ip netns add "$image_space" && ip -n "$image_space" link set lo up
  step 'the service starts with NET_ADMIN alone, root read-only' image_starts
  step 'records are on standard output' until_true 20 image_records
  step 'health and readiness, as the probes ask' image_is_well
  step 'it ends in order within its time' image_stops
  refused 'without NET_ADMIN it does not run' CAP_NET_ADMIN image_runs_without_capability
  image_clean
}

# A mount namespace for podman. crun runs nothing where both versions of control groups are mounted: there it sees version 2 alone.
image_on() {
  unshare -m --propagation slave sleep infinity >/dev/null 2>&1 3>&- &
  image_holder=$!
  until_true 5 in_own_mounts || return 1
  grep -q '^cgroup ' /proc/mounts || return 0
  nsenter -t "$image_holder" -m sh -c 'awk "\$2 ~ /^\/sys\/fs\/cgroup/ { print \$2 }" /proc/mounts | sort -r | xargs umount -l &&
    mount -t cgroup2 cgroup2 /sys/fs/cgroup'
}

in_own_mounts() { [ "$(readlink "/proc/$image_holder/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]; }

podman_() {
  nsenter -t "$image_holder" -m podman --root "$scratch/podman" --runroot "$scratch/podman-run" --storage-driver vfs \
    --cgroup-manager cgroupfs --events-backend none "$@" 3>&-
}

# Limits that podman may set without CAP_SYS_RESOURCE.
run_image() {
  podman_ run --pull never --ulimit nofile=1024:4096 --ulimit nproc=4096:4096 --cgroups disabled --read-only --cap-drop all "$@"
}

image_read() {
  podman_ load -q -i "$1" && podman_ tag "$(podman_ images -q | head -1)" "$image_name" || return 1
  printf '        image: %s, as an archive %s\n' "$(podman_ images --format '{{.Size}}' | head -1)" "$(du -h "$1" | cut -f1)" >&3
}

in_space=(--network "ns:/run/netns/$image_space")

image_starts() {
  run_image -d --name try "${in_space[@]}" --cap-add NET_ADMIN --security-opt no-new-privileges \
    --tmpfs /run/conntrack-stream --tmpfs /var/lib/conntrack-stream:mode=700 "$image_name" run --set Tap:Track=true &&
    until_true 20 podman_ exec try /usr/bin/conntrack-stream health
}

image_records() {
  image_connects
  podman_ logs try 2>/dev/null | grep -q '"event":"start"'
}

image_is_well() {
  podman_ exec try /usr/bin/conntrack-stream health && until_true 10 podman_ exec try /usr/bin/conntrack-stream health --ready
}

image_stops() {
  podman_ ps --format '{{.Names}}' | grep -qx try && podman_ stop -t 30 try &&
    [ "$(podman_ inspect try --format '{{.State.ExitCode}}')" = 0 ]
}

image_runs_without_capability() {
  run_image --rm "${in_space[@]}" --tmpfs /var/lib/conntrack-stream:mode=700 "$image_name" run
}

# A server whose certificate no authority has signed: refused for that, not for want of OpenSSL or of authorities.
tls_refuses_stranger() {
  local certificate=$scratch/server.pem
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout "$certificate" -out "$scratch/certificate.pem" \
    2>/dev/null && cat "$scratch/certificate.pem" >>"$certificate"
  ip netns add "$image_space" && ip -n "$image_space" link set lo up
  ip netns exec "$image_space" socat "openssl-listen:6514,bind=127.0.0.1,cert=$certificate,verify=0,fork,reuseaddr" - >/dev/null 2>&1 </dev/null &
  local server=$! said=0
  sleep 1
  run_image -d --name tls "${in_space[@]}" --cap-add NET_ADMIN --tmpfs /run/conntrack-stream --tmpfs /var/lib/conntrack-stream:mode=700 \
    "$image_name" run --set Tap:Track=true --set Syslog:Enabled=true --set Syslog:Server=tls:127.0.0.1:6514
  until_true 20 certificate_refused
  said=$?
  kill $server
  podman_ logs tls 2>&1 | tail -5
  podman_ rm -f tls >/dev/null 2>&1
  ip netns del "$image_space"
  return $said
}

image_connects() { ip netns exec "$image_space" bash -c 'exec 3<>/dev/udp/127.0.0.1/9; echo x >&3' 2>/dev/null; }

certificate_refused() { image_connects; podman_ logs tls 2>&1 | grep -iE 'certificate.*(trust|authorit|chain|root)'; }

image_clean() {
  [ -n "$image_holder" ] || return 0
  podman_ rm -f -a >/dev/null 2>&1
  podman_ rmi -f -a >/dev/null 2>&1
  ip netns del "$image_space" 2>/dev/null
  [ -z "$image_holder" ] || kill "$image_holder" 2>/dev/null
  image_holder=''
  return 0
}
