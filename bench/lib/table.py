"""nf_conntrack_max is one value for the whole machine: raised for as long as it is needed, by one program at a time, and put back."""

import contextlib
import fcntl

MAX = "/proc/sys/net/netfilter/nf_conntrack_max"
# While held it contains the value to put back, so that whoever takes it after a kill -9 can. The kernel tests use the same file.
LOCK = "/run/lock/conntrack-stream-table.lock"


def read_int(path):
    with open(path, encoding="ascii") as file:
        return int(file.read())


def write_int(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


@contextlib.contextmanager
def raised(flows):
    """Room for `flows` entries in the table until the block ends."""
    with open(LOCK, "a+", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        left_behind = lock.read().strip()
        original = int(left_behind) if left_behind else read_int(MAX)
        _remember(lock, original)
        try:
            write_int(MAX, max(original, flows))
            yield
        finally:
            write_int(MAX, original)
            _remember(lock, "")


def _remember(lock, text):
    lock.seek(0)
    lock.truncate()
    lock.write(str(text))
    lock.flush()
