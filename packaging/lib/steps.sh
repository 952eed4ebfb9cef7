# shellcheck shell=bash disable=SC2154
# Steps of a trial: each is a command with a name, and says PASSED or FAILED. Sourced by packaging/try.
steps_failed=0
steps_passed=0

# step NAME COMMAND...: what the command printed is shown only if it failed.
step() {
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$scratch/step.log" 2>&1; then
    steps_passed=$((steps_passed + 1))
    printf 'PASSED  %-84s %4d s\n' "$name" $((SECONDS - began))
  else
    steps_failed=$((steps_failed + 1))
    printf 'FAILED  %-84s %4d s\n' "$name" $((SECONDS - began))
    sed 's/^/        /' "$scratch/step.log" | tail -25
  fi
}

# refused NAME TEXT COMMAND...: a negative control, which passes if the command fails and prints the text (an extended regular expression).
refused() {
  local name=$1
  shift
  step "control: $name" fails_saying "$@"
}

fails_saying() {
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then
    printf '%s\nIt did not fail: %s\n' "$said" "$*"
    return 1
  fi
  printf '%s\n' "$said"
  grep -qE -- "$text" <<<"$said"
}

not() { ! "$@"; }

# until_true SECONDS COMMAND...: tries until it succeeds.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || { echo "not within the time: $*" >&2; return 1; }
    sleep 0.1
  done
}
