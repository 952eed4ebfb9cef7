# The container image, by podman, in a network namespace of its own. Sourced by packaging/try.
readonly image_name=localhost/conntrack-stream:$version
readonly image_space=conntrack-stream-try-$$

try_image() {
  local archive=artifacts/conntrack-stream-$version-amd64.oci.tar
  step 'Debian packages for this part' install_packages podman crun netavark iproute2 socat
  step 'the image is read' podman_ load_image "$archive"
  step 'version runs without network, privileges or a writable root' \
    podman_ run --rm --network=none --cap-drop=all --read-only "$image_name" version
  refused 'there is no shell' 'not found|[Nn]o such file' podman_ run --rm --network=none --entrypoint /bin/sh "$image_name" -c true
  refused 'nor another program' 'not found|[Nn]o such file' podman_ run --rm --network=none --entrypoint /usr/bin/env "$image_name"
  step 'TLS works: authorities are there, OpenSSL is opened' tls_refuses_stranger
  ip netns add "$image_space" && ip -n "$image_space" link set lo up
  step 'the service starts with NET_ADMIN alone, root read-only' image_starts
  step 'records are on standard output' until_true 20 image_records
  step 'health and readiness, as the probes ask' image_is_well
  step 'it ends in order within its time' image_stops
  refused 'without NET_ADMIN it does not run' CAP_NET_ADMIN image_runs_without_capability
  image_clean
}

podman_() {
  if [ "$1" = load_image ]; then
    podman_ load -q -i "$2" && podman_ tag "$(podman_ images -q | head -1)" "$image_name" &&
      printf '        image: %s\n' "$(podman_ images --format '{{.Size}}' | head -1)" >&3
    return
  fi
  podman --root "$scratch/podman" --runroot "$scratch/podman-run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none "$@"
}

in_space=(--network "ns:/run/netns/$image_space" --cgroups disabled)

image_starts() {
  podman_ run -d --name try "${in_space[@]}" --cap-drop all --cap-add NET_ADMIN --read-only --security-opt no-new-privileges \
    --tmpfs /run/conntrack-stream --tmpfs /var/lib/conntrack-stream "$image_name" run --set Tap:Track=true &&
    until_true 20 podman_ exec try /usr/bin/conntrack-stream health
}

image_records() {
  ip netns exec "$image_space" bash -c 'exec 3<>/dev/udp/127.0.0.1/9; echo x >&3' 2>/dev/null
  podman_ logs try 2>/dev/null | grep -q '"event":"start"'
}

image_is_well() {
  podman_ exec try /usr/bin/conntrack-stream health && until_true 10 podman_ exec try /usr/bin/conntrack-stream health --ready
}

image_stops() { podman_ stop -t 30 try && [ "$(podman_ inspect try --format '{{.State.ExitCode}}')" = 0 ]; }

image_runs_without_capability() {
  podman_ run --rm "${in_space[@]}" --cap-drop all --read-only --tmpfs /var/lib/conntrack-stream "$image_name" run
}

# A server whose certificate no authority has signed: refused for that, not for want of OpenSSL or of authorities.
tls_refuses_stranger() {
  step_certificate=$scratch/server.pem
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout "$step_certificate" -out "$scratch/certificate.pem" \
    2>/dev/null && cat "$scratch/certificate.pem" >>"$step_certificate"
  ip netns add "$image_space" && ip -n "$image_space" link set lo up
  ip netns exec "$image_space" socat "openssl-listen:6514,bind=127.0.0.1,cert=$step_certificate,verify=0,fork,reuseaddr" - >/dev/null 2>&1 </dev/null &
  local server=$! said
  sleep 1
  said=$(timeout 20 podman --root "$scratch/podman" --runroot "$scratch/podman-run" --storage-driver vfs --cgroup-manager cgroupfs \
    --events-backend none run --rm --name tls "${in_space[@]}" --cap-drop all --cap-add NET_ADMIN --read-only \
    --tmpfs /run/conntrack-stream --tmpfs /var/lib/conntrack-stream "$image_name" run --set Syslog:Enabled=true \
    --set Syslog:Server=tls:127.0.0.1:6514 2>&1)
  kill $server
  podman_ rm -f tls >/dev/null 2>&1
  ip netns del "$image_space"
  printf '%s\n' "$said"
  grep -qiE 'certificate' <<<"$said"
}

image_clean() {
  podman_ rm -f -a >/dev/null 2>&1
  podman_ rmi -f -a >/dev/null 2>&1
  ip netns del "$image_space" 2>/dev/null
  return 0
}
