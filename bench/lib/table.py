"""nf_conntrack_max and _buckets are one value each for the whole machine: raised for as long as it is needed, by one program at a time,
and put back."""

import contextlib
import fcntl

MAX = "/proc/sys/net/netfilter/nf_conntrack_max"
BUCKETS = "/proc/sys/net/netfilter/nf_conntrack_buckets"
# While held they contain the value to put back, so that whoever takes one after a kill -9 can. The kernel tests use the first, too.
MAX_LOCK = "/run/lock/conntrack-stream-table.lock"
BUCKETS_LOCK = "/run/lock/conntrack-stream-buckets.lock"
# Entries have two tuples, and the kernel refuses a flow whose chain has fifty or more (chaintoolong in conntrack -S).
LONGEST_CHAIN = 16


def read_int(path):
    with open(path, encoding="ascii") as file:
        return int(file.read())


def write_int(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


@contextlib.contextmanager
def raised(flows):
    """Room for `flows` entries in the table until the block ends."""
    with _at_least(MAX, MAX_LOCK, flows), _at_least(BUCKETS, BUCKETS_LOCK, 2 * flows // LONGEST_CHAIN):
        yield


@contextlib.contextmanager
def _at_least(path, lock_path, value):
    with open(lock_path, "a+", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        left_behind = lock.read().strip()
        original = int(left_behind) if left_behind else read_int(path)
        _remember(lock, original)
        try:
            write_int(path, max(original, value))
            yield
        finally:
            write_int(path, original)
            _remember(lock, "")


def _remember(lock, text):
    lock.seek(0)
    lock.truncate()
    lock.write(str(text))
    lock.flush()
