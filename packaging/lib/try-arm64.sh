# shellcheck shell=bash disable=SC2154
# The program for arm64, by an emulator of processes, which knows no netfilter netlink: what works on files, beside the program of this
# machine's processor. Sourced by packaging/try.
try_arm64() {
  step 'Debian packages for this part' install_packages qemu-user-static libc6-arm64-cross jq
  step 'both packages are unpacked' arm64_unpacked
  step 'the program starts' arm64_starts
  step 'events become the same records' arm64_same replay events.txt
  step 'who finds the same flow' arm64_same who 192.0.2.2:53 --at 2026-11-21T14:32:15Z records.json
  step 'verify-log counts the same' arm64_same verify-log records.json
  step 'the manual is the same to the letter' arm64_same manual
  refused 'a record that is torn is noticed' 'VIOLATION' arm64 verify-log torn.json
  step 'control: another answer is noticed (doctor: the emulator has no netfilter)' not arm64_same doctor
}

arm64() { (cd "$scratch/arm64" && qemu-aarch64-static -L /usr/aarch64-linux-gnu root/usr/bin/conntrack-stream "$@"); }

arm64_unpacked() {
  mkdir -p "$scratch/arm64" && dpkg-deb -x "$arm64_deb" "$scratch/arm64/root" && dpkg-deb -x "$deb" "$scratch/arm64/native" || return 1
  cat >"$scratch/arm64/events.txt" <<'TEXT'
[1795962735.100001]	    [NEW] ipv4     2 udp      17 60 src=10.0.0.1 dst=192.0.2.1 sport=1001 dport=53 [UNREPLIED] src=192.0.2.1 dst=203.0.113.5 sport=53 dport=1001 mark=0 id=2206973330
[1795962735.200002]	    [NEW] ipv4     2 udp      17 60 src=10.0.0.2 dst=192.0.2.2 sport=1002 dport=53 [UNREPLIED] src=192.0.2.2 dst=203.0.113.5 sport=53 dport=1002 mark=0 id=3782137483
[1795962736.300003]	[DESTROY] ipv4     2 udp      17 src=10.0.0.1 dst=192.0.2.1 sport=1001 dport=53 packets=1 bytes=70 src=192.0.2.1 dst=203.0.113.5 sport=53 dport=1001 packets=1 bytes=90 id=2206973330
[1795962737.400004]	[DESTROY] ipv4     2 udp      17 src=10.0.0.2 dst=192.0.2.2 sport=1002 dport=53 packets=1 bytes=70 src=192.0.2.2 dst=203.0.113.5 sport=53 dport=1002 packets=1 bytes=90 id=3782137483
TEXT
  (cd "$scratch/arm64" && native/usr/bin/conntrack-stream replay events.txt >records.json &&
    sed '2s/,"start".*/,/' records.json >torn.json && [ "$(wc -l <records.json)" = 4 ])
}

arm64_starts() { arm64 version | tee /dev/stderr | grep -q linux-arm64; }

# What a run makes of its own (ids) is left out.
arm64_same() {
  local theirs ours
  theirs=$(cd "$scratch/arm64" && native/usr/bin/conntrack-stream "$@" 2>&1; echo $?) || return 1
  ours=$(arm64 "$@" 2>&1; echo $?)
  [ -n "$ours" ] && diff <(arm64_without_ids <<<"$theirs") <(arm64_without_ids <<<"$ours")
}

arm64_without_ids() { sed 's/"flow_id":"[^"]*"/"flow_id":""/; s/linux-x64/linux-arm64/'; }
