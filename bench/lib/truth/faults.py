"""What is done to the service, to the kernel's table and to the log while it is watched. Each returns a few words for the journal."""

import os
import signal
import subprocess
import time

from .. import readers
from .service import now_us

EVENTS = "net.netfilter.nf_conntrack_events"


def flush(run, draw):
    _conntrack(run, "-F")
    return "conntrack -F"


def delete(run, draw):
    part = draw.choice((("-p", "tcp"), ("-p", "icmp"), ("-f", "ipv6", "-p", "udp"), *(("-p", "udp", "--sport", str(20000 + draw.randrange(64))) for _ in range(3))))
    _conntrack(run, "-D", *part)
    return "conntrack -D " + " ".join(part)


def kill(run, draw):
    run.service.end(signal.SIGKILL)
    pause = draw.choice((0, draw.uniform(0, 3)))
    time.sleep(pause)
    return f"kill -9, {pause:.1f} s, {run.service.start()}"


def terminate(run, draw):
    run.service.end(signal.SIGTERM)
    pause = draw.choice((0, draw.uniform(0, 3)))
    time.sleep(pause)
    return f"SIGTERM, {pause:.1f} s, {run.service.start()}"


def stop(run, draw):
    pause = draw.uniform(0.2, 4)
    run.service.service.process.send_signal(signal.SIGSTOP)
    time.sleep(pause)
    flushed = draw.random() < 0.3
    if flushed:
        _conntrack(run, "-F")
    run.service.service.process.send_signal(signal.SIGCONT)
    return f"SIGSTOP for {pause:.1f} s{', with conntrack -F at its end' if flushed else ''}"


def hangup(run, draw):
    run.service.service.process.send_signal(signal.SIGHUP)
    return "SIGHUP"


def rotate(run, draw):
    if not run.service.move_log():
        return None
    run.service.service.process.send_signal(signal.SIGHUP)
    return "mv and SIGHUP"


def remove(run, draw):
    """What the file holds at that moment went with it by our will, and is read by the checker; what is written to it afterwards must be in a gap."""
    if not run.service.remove_log():
        return None
    return "rm of the log"


def events(run, draw):
    """Off for a second, or until the service turns them on again."""
    value = run.space_sysctl(EVENTS)
    begin = now_us()
    run.space.sysctl(EVENTS, 0)
    end = time.monotonic() + 1
    while time.monotonic() < end and run.space_sysctl(EVENTS) == "0":
        time.sleep(0.02)
    own = run.space_sysctl(EVENTS) != "0"
    if not own:
        run.space.sysctl(EVENTS, value)
    run.note({"what": "window", "from": begin, "to": now_us()})
    return f"{EVENTS}=0 until {'the service put it back' if own else 'a second later'}"


def burst(run, draw):
    done = subprocess.run(run.space.command(f"{readers.OUT}/storm", "--count", 100_000, "--ending"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "100,000 NEW at once" + (", until the table was full" if done.returncode else "")


def timeout(run, draw):
    seconds = draw.randint(1, 8)
    run.space.sysctl("net.netfilter.nf_conntrack_udp_timeout", seconds)
    return f"nf_conntrack_udp_timeout={seconds}"


def full(run, draw):
    pause = draw.uniform(1, 6)
    ballast = f"{run.service.disk}/ballast"
    space = os.statvfs(run.service.disk)
    try:
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, space.f_bavail * space.f_bsize))
    except OSError:
        pass  # the service was quicker; it is full all the same
    time.sleep(pause)
    os.unlink(ballast)
    return f"log disk full for {pause:.1f} s"


def dump(run, draw):
    _conntrack(run, "-L")
    return "conntrack -L"


FAULTS = {fault.__name__: fault for fault in (flush, delete, kill, terminate, stop, hangup, rotate, remove, burst, timeout, full, dump, events)}
DEFAULT = [name for name in FAULTS if name != "events"]


def _conntrack(run, *arguments):
    subprocess.run(run.space.command("conntrack", *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
