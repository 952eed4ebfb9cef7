"""One run: namespace, recorder, load, service, faults; the checker works beside it, in a process of its own."""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

from .. import namespace, process, readers, table
from .faults import FAULTS
from .service import Supervisor, now_us

ROTATE = 7  # seconds between two log files for the checker
TABLE = 262_144  # flows that the kernel's table must have room for

RULES = """
table inet truth {
  map far {
    type ipv4_addr : interval ipv4_addr
    flags interval
    elements = { 127.3.0.0/16 : 127.2.0.0/16 }
  }
  chain zones {
    type filter hook output priority raw;
    udp dport 4000 ct zone set 7
  }
  chain translate {
    type nat hook output priority -100;
    dnat ip prefix to ip daddr map @far
  }
  chain in {
    type filter hook input priority 0; policy drop;
  }
}
"""

TIMEOUTS = {"udp_timeout": 3, "udp_timeout_stream": 3, "icmp_timeout": 2, "tcp_timeout_syn_sent": 3, "tcp_timeout_syn_recv": 2, "tcp_timeout_established": 5,
            "tcp_timeout_fin_wait": 2, "tcp_timeout_close_wait": 2, "tcp_timeout_last_ack": 2, "tcp_timeout_time_wait": 2, "tcp_timeout_close": 1}

# The kernel's own collector takes up to a minute to see that a timer has run out; a dump does it at once.
REAPER = "while sleep 0.5; do conntrack -L -m 0x7fffffff; done"


class Run:
    def __init__(self, args, directory):
        self.args, self.directory = args, directory
        self.faults = collections.Counter()
        self.seconds = 0
        self.traffic_result = self.recorder_result = None
        self._journal = open(f"{directory}/journal", "a", encoding="utf-8")  # pylint: disable=consider-using-with
        self._draw = random.Random(args.seed)
        self.space = self.service = None
        self.stopping = False  # Ctrl-C: no more faults

    def note(self, entry):
        self._journal.write(json.dumps(entry) + "\n")
        self._journal.flush()

    def space_sysctl(self, name):
        return namespace.run(*self.space.command("sysctl", "-n", name)).strip()

    def execute(self):
        os.makedirs(f"{self.directory}/complete")
        os.makedirs(f"{self.directory}/events")
        room = table.raised(TABLE) if table.read_int(table.MAX) < TABLE else contextlib.nullcontext()
        with room, namespace.created() as self.space:
            namespace.run(*self.space.command("nft", "-f", "-"), input=RULES)
            for name, value in TIMEOUTS.items():
                self.space.sysctl(f"net.netfilter.nf_conntrack_{name}", value)
            self.service = Supervisor(self.space, self.args.program, self.directory, self.args.set, self._draw, self.note)
            with self.service.mounted(), self._child([f"{readers.OUT}/recorder", f"{self.directory}/events"], "recorder") as recorder:
                self._wait_recorder(recorder)
                self.service.start()
                self.service.service.wait_joined()
                time.sleep(2)
                self.note({"what": "begin", "at": now_us()})
                with self._child(["sh", "-c", REAPER], "/dev/null") as reaper:
                    with self._child([f"{readers.OUT}/traffic", "--rate", self.args.rate, "--seed", self.args.seed], "traffic") as traffic:
                        self._faults(traffic, recorder)
                        print("bench/truth: no more faults; the rest is read and judged", flush=True)
                        self._calm(5)
                        # So that the end has live flows.
                        self.space.sysctl("net.netfilter.nf_conntrack_udp_timeout", 600)
                        self._calm(2)
                        self.traffic_result = _end(traffic, f"{self.directory}/traffic.out")
                    os.killpg(reaper.pid, signal.SIGTERM)
                self._calm(4)
                self.note({"what": "quiet", "at": now_us()})
                with open(f"{self.directory}/live", "wb") as live:
                    for family in ("ipv4", "ipv6"):
                        subprocess.run(self.space.command("conntrack", "-L", "-f", family, "-o", "id"), stdout=live, stderr=subprocess.DEVNULL, check=True)
                self.recorder_result = _end(recorder, f"{self.directory}/recorder.out")
                self.service.end(signal.SIGTERM)
                self.service.collect(ended=True)
                if self.service.move_log():
                    self.service.collect(ended=True)
        self.note({"what": "live", "path": f"{self.directory}/live"})
        self.note({"what": "end"})
        with open(f"{self.directory}/events/done", "wb"):
            pass

    @contextlib.contextmanager
    def _child(self, command, name):
        """In a session of its own, as Ctrl-C must not end it first."""
        paths = ("/dev/null", "/dev/null") if name.startswith("/") else (f"{self.directory}/{name}.out", f"{self.directory}/{name}.err")
        with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
            child = subprocess.Popen(self.space.command(*command), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        try:
            yield child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
            child.wait()

    def _wait_recorder(self, recorder):
        while recorder.poll() is None:
            with open(f"{self.directory}/recorder.err", encoding="utf-8") as text:
                if "ready" in text.read():
                    return
            time.sleep(0.01)
        raise process.ReaderFailed("the recorder did not start")

    def _tick(self):
        time.sleep(0.1)
        self.service.watch()
        self.service.collect()

    def _calm(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._tick()

    def _faults(self, traffic, recorder):
        began = time.monotonic()
        end, progress, rotation = began + 60 * self.args.minutes, began + 30, began + ROTATE
        fault = began + self._draw.uniform(2, 12)
        while (now := time.monotonic()) < end and not self.stopping:
            self.seconds = now - began
            self._tick()
            if traffic.poll() is not None or recorder.poll() is not None:
                raise process.ReaderFailed("the load or the recorder ended by itself")
            if now >= rotation:
                rotation = now + ROTATE
                self.service.move_log()
            if now >= fault and self.args.faults:
                self._one_fault(now - began)
                fault = time.monotonic() + self._draw.uniform(2, 12)
            if now >= progress:
                progress += 30
                self._progress(now - began)
        self.seconds = time.monotonic() - began

    def _one_fault(self, elapsed):
        name = self._draw.choice(self.args.faults)
        at = now_us()
        words = FAULTS[name](self, self._draw)
        if words is None:
            return
        self.faults[name] += 1
        self.note({"what": "fault", "at": at, "until": now_us(), "name": name, "words": words})
        if self.args.verbose:
            print(f"  {elapsed:7.1f} s  {words}", flush=True)

    def _progress(self, seconds):
        status = {}
        with contextlib.suppress(FileNotFoundError), open(f"{self.directory}/status.json", encoding="utf-8") as file:
            status = json.load(file)
        checked = ", ".join(f"{status.get(what, 0):,} {what}" for what in ("events", "records", "gaps", "violations"))
        print(f"{seconds / 60:5.1f} min  {sum(self.faults.values())} faults; checked so far: {checked}", flush=True)


def checker(directory, keep):
    command = [sys.executable, os.path.join(readers.BENCH, "truth"), "--check", directory, *(["--keep"] if keep else [])]
    return subprocess.Popen(command, start_new_session=True, preexec_fn=lambda: os.nice(5))


def _end(child, path):
    child.send_signal(signal.SIGTERM)
    child.wait()
    with open(path, encoding="ascii") as file:
        return json.load(file)
