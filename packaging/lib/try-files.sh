# shellcheck shell=bash disable=SC2154
# The files of the package, without starting anything. Sourced by packaging/try.

try_files() {
  step 'Debian packages for this part' install_packages lintian man-db zsh fish bash-completion python3-jsonschema fakeroot
  rm -rf "$scratch/deb"
  dpkg-deb -R "$deb" "$scratch/deb"
  local root=$scratch/deb
  step 'lintian has nothing to say' lintian_clean "$deb"
  refused 'lintian sees a package without its copyright' no-copyright-file lintian_clean "$(without_copyright)"
  step 'every file of the package belongs to root' owned_by_root
  step 'the program needs no library but libc' needs_libc_only "$root/usr/bin/conntrack-stream"
  for page in "$root"/usr/share/man/man*/*.gz; do
    step "man shows $(basename "$page") without a warning" page_is_clean "$page"
  done
  printf '.TH X 8\n.SX nothing\n' | gzip >"$scratch/broken.8.gz"
  refused 'man sees a macro that there is none of' SX page_is_clean "$scratch/broken.8.gz"
  step 'the page of the configuration has every key' page_has_keys "$root/usr/share/man/man5/conntrack-stream-configuration.5.gz"
  step 'bash: bash-completion loads it by the name of the program' bash_loads "$root"
  step 'zsh reads the completion' zsh -n "$root/usr/share/zsh/vendor-completions/_conntrack-stream"
  step 'zsh offers verbs, options and values' zsh_completes "$root/usr/share/zsh/vendor-completions"
  step 'fish offers verbs, options and values' fish_completes "$root/usr/share/fish/vendor_completions.d/conntrack-stream.fish"
  step 'the configuration of the package has the defaults, but for FlowLog:Path' configuration_is_valid "$root/etc/conntrack-stream/appsettings.json"
  step 'logrotate takes the sample' logrotate_takes "$root/etc/logrotate.d/conntrack-stream"
  step 'bills of materials are valid by the schema of CycloneDX 1.5' sbom_valid artifacts/*.cdx.json
  python3 - "artifacts/conntrack-stream-$version.cdx.json" >"$scratch/broken.cdx.json" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1]))
del document["components"][0]["name"]
json.dump(document, sys.stdout)
PYTHON
  refused 'the schema sees a component without a name' "'name' is a required property" sbom_valid "$scratch/broken.cdx.json"
  step 'checksums hold' checksums_hold
}

lintian_clean() {
  local said
  said=$(lintian --allow-root --info --display-info --tag-display-limit 0 "$1" 2>&1)
  [ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}

without_copyright() {
  cp -r "$scratch/deb" "$scratch/broken"
  rm "$scratch/broken/usr/share/doc/conntrack-stream/copyright"
  dpkg-deb --root-owner-group -b "$scratch/broken" "$scratch/broken.deb" >/dev/null
  echo "$scratch/broken.deb"
}

owned_by_root() { ! dpkg-deb -c "$deb" | grep -v ' root/root '; }

needs_libc_only() {
  ! readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux.*)$'
}

page_is_clean() {
  local said
  said=$(MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null)
  [ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}

page_has_keys() {
  local key page
  page=$(MANWIDTH=200 man -l "$1" | col -b)
  for key in $(sed -n 's/^| `\([A-Za-z0-9:]*\)` .*/\1/p' docs/configuration.md); do
    grep -qF "$key" <<<"$page" || { echo "missing: $key"; return 1; }
  done
}

bash_loads() {
  bash -c '
    BASH_COMPLETION_USER_DIR=/nonexistent
    . /usr/share/bash-completion/bash_completion
    XDG_DATA_DIRS=$1/usr/share
    _comp_load conntrack-stream 2>/dev/null || __load_completion conntrack-stream
    complete -p conntrack-stream | grep -q _conntrack_stream' bash "$1"
}

zsh_completes() {
  local script='
    zmodload zsh/zpty
    zpty shell "zsh -f -i"
    zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; stty -echo rows 200; LINES=200"
    zpty -w shell "zstyle \":completion:*\" list-prompt \"\"; LISTMAX=1000; setopt no_beep; bindkey \"^I\" list-choices; print READY"
    local text
    zpty -r -m shell text "*READY*"
    for line in "conntrack-stream " "conntrack-stream list --" "conntrack-stream list --proto " "conntrack-stream map " "conntrack-stream completion "; do
      zpty -w -n shell "$line"$'"'\\t'"'
      sleep 1
      zpty -w -n shell $'"'\\C-u'"'
    done
    zpty -w shell "print DONE"
    zpty -r -m shell text "*DONE*"
    print -r -- $text'
  local text
  text=$(timeout 60 zsh -f -c "$script" zsh "$1")
  printf '%s\n' "$text"
  for word in verify-log --any-nat udplite audit fish; do
    grep -q -- "$word" <<<"$text" || { echo "missing: $word"; return 1; }
  done
}

fish_completes() {
  local line word offered
  while read -r word line; do
    offered=$(fish -N -c "source $1; complete -C 'conntrack-stream $line'")
    grep -qE -- "^$word" <<<"$offered" || { echo "missing: $word after $line"; return 1; }
  done <<'CASES'
verify-log ver
--any-nat list --any
udplite list --proto ud
audit map a
FlowLog:Path= run --set FlowLog:Pa
fish completion f
CASES
}

configuration_is_valid() {
  local keys
  keys=$(grep -oE '^ *"[A-Za-z]+"' "$1" | wc -l)
  [ "$keys" -ge 8 ] && "$scratch/deb/usr/bin/conntrack-stream" doctor --config "$1" | grep -q .
  [ "${PIPESTATUS[0]}" != 2 ]
}

logrotate_takes() {
  install_packages logrotate
  cp "$1" "$scratch/logrotate.conf"
  chown root:root "$scratch/logrotate.conf"
  ! logrotate --debug --state "$scratch/logrotate.state" "$scratch/logrotate.conf" 2>&1 | grep -i error
}

sbom_valid() {
  local schemas=$cache/npm/node_modules/@cyclonedx/cyclonedx-library/res/schema
  [ -d "$schemas" ] || npm install --silent --no-fund --no-audit --ignore-scripts --omit=optional --prefix "$cache/npm" \
    @cyclonedx/cyclonedx-library@10.3.0 || return 1
  python3 packaging/lib/check-sbom "$schemas" "$@"
}

checksums_hold() { (cd artifacts && sha256sum --check SHA256SUMS); }
