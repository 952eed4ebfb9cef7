# Sourced by the scripts beside it. Each of them runs released packages of others, in a network namespace of its own, on valid input.
# The packages are those of Debian 12 and go into a temporary folder; nothing is installed on the machine.
set -euo pipefail

if [ -z "${root:-}" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

# with NAME=VERSION …: unpacks the packages and all they need, and goes on with the script's next line in new network and PID namespaces, whose
# end also ends what the script has started in the background.
with() {
  [ -z "${root:-}" ] || return 0
  export work root=$work/root
  mkdir -p "$root" "$work/archives/partial"
  : >"$work/installed" # nothing, so that everything is fetched
  apt-get -qq install --download-only --no-install-recommends -y -o Dir::State::status="$work/installed" \
    -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User=root "$@" >"$work/apt.log" 2>&1 ||
    { cat "$work/apt.log" >&2; echo "cannot fetch $*; apt-get update may help" >&2; exit 2; }
  rm -f "$work"/archives/libc6_*.deb "$work"/archives/libc-bin_*.deb # the machine's own loader and libc belong together
  local archive
  for archive in "$work"/archives/*.deb; do dpkg-deb -x "$archive" "$root"; done
  export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu
  export PATH=$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH
  local status=0
  unshare --net --pid --fork --kill-child --mount-proc --map-root-user bash -c 'ip link set lo up && exec bash "$0"' "$0" || status=$?
  exit $status
}

# expect WHAT ACTUAL EXPECTED: one thing that was seen, and is seen still.
expect() {
  if [ "$2" = "$3" ]; then
    printf 'still so: %s\n' "$1"
  else
    printf 'CHANGED: %s\n  expected: %s\n  seen:     %s\n' "$1" "$3" "$2"
    exit 1
  fi
}

# quietly COMMAND…: what it prints is kept beside.
quietly() { "$@" >"$work/out" 2>&1; }

# lines COMMAND…: how many lines it prints; what it says on standard error is kept beside.
lines() { "$@" 2>"$work/said" | grep -c . || true; }
