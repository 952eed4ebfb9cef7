"""Faults of a fleet: the network of a node cut, its service killed, the server killed, both killed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from . import engine, jetstream, namespace, process, readers, report, sequences

HUB = "10.79.0.1"
CALM = 10  # seconds of load before the first fault, and after the last
UNEVEN = 8192  # tuples left out between two storms: the generator's sources need not have sent equally many
REAPER = "while sleep 0.5; do conntrack -L -m 0x7fffffff; done"  # a dump ends what has timed out; the kernel's collector takes up to a minute
SETTINGS = ("FlowLog:Enabled=false", "FlowLog:Host=node-1", "Nats:Enabled=true", f"Nats:Servers=nats://{HUB}:{engine.PORT}", "Nats:Spool:KeepFreeBytes=0",
            "Nats:Spool:MaxBytes=8589934592", "Logging:Format=line")

RULES = """
table inet engine {
  chain out { type filter hook output priority raw; oifname "hub" notrack; }
  chain in { type filter hook prerouting priority raw; iifname "hub" notrack; }
}
"""


@dataclass
class Outcome:
    title: str
    made: int  # flows
    proof: sequences.Proof
    catch_up: float  # seconds from the last fault until everything is acknowledged
    spool_peak: int  # bytes
    collected: str  # what collect says


class Bed:
    """A node, a hub with a server, and what runs on them."""

    def __init__(self, args, directory, node, hub):
        self._args, self._directory, self._node, self._hub = args, directory, node, hub
        self._server = self._service = None
        self.spool_peak = 0

    def cut(self):
        subprocess.run(["ip", "-n", self._hub, "link", "set", "node-1", "down"], check=True)
        ends = time.monotonic() + self._args.cut * 60
        while time.monotonic() < ends:
            time.sleep(2)
            self.spool_peak = max(self.spool_peak, self.status()["spool_bytes"])
        subprocess.run(["ip", "-n", self._hub, "link", "set", "node-1", "up"], check=True)

    def start_server(self):
        self._server = subprocess.Popen(["ip", "netns", "exec", self._hub, "nats-server", "-c", f"{self._directory}/nats.conf", "-l", f"{self._directory}/nats.log"],
                                        start_new_session=True)
        subprocess.run(["ip", "netns", "exec", self._hub, "bash", "-c", f"until exec 3<>/dev/tcp/{HUB}/{engine.PORT}; do sleep 0.1; done 2>/dev/null"],
                       check=True, timeout=60)

    def start_service(self):
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        with open(f"{self._directory}/service.log", "ab") as log:
            self._service = subprocess.Popen(
                [*self._node.command(self._args.program), "run", "--track", *settings, "--set", f"State:Directory={self._directory}/state",
                 "--set", f"Api:Socket={self._directory}/api.sock"], stdout=log, stderr=log, start_new_session=True)

    def kill(self, *names):
        """All at the same moment, as far as a signal can."""
        for name in names:
            getattr(self, f"_{name}").send_signal(signal.SIGKILL)
        for name in names:
            getattr(self, f"_{name}").wait()
        for name in names:
            getattr(self, f"start_{name}")()

    def collect(self, *more):
        os.makedirs(f"{self._directory}/flows", exist_ok=True)
        done = subprocess.run(["ip", "netns", "exec", self._hub, self._args.program, "collect", "--directory", f"{self._directory}/flows", "--once", "--set",
                               f"Nats:Servers=nats://{HUB}:{engine.PORT}", "--set", "FlowLog:Rotation:MaxBytes=0", *more],
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise process.ReaderFailed(f"collect ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stderr.splitlines()[-1].removeprefix("conntrack-stream: ")

    def status(self):
        done = subprocess.run([self._args.program, "stats", "--live", "--socket", f"{self._directory}/api.sock"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return json.loads(done.stdout)["nats"] if done.returncode == 0 and done.stdout else {"spool_bytes": 0, "connected": False}

    def wait_connected(self):
        self._wait(lambda status: status["connected"], 60, "a connection to the server")

    def wait_settled(self):
        """No record waits: neither in memory nor in the spool, of which the last file stays."""
        last = None

        def settled(status):
            nonlocal last
            before, last = last, status.get("records")
            return status["connected"] and status["in_flight_messages"] == 0 and status["memory_bytes"] == 0 and before == last
        self._wait(settled, 600, "everything to be acknowledged", 0.5)

    def _wait(self, condition, timeout, what, step=0.1):
        deadline = time.monotonic() + timeout
        while not condition(self.status()):
            if time.monotonic() > deadline:
                raise process.ReaderFailed(f"waited {timeout} s for {what}: {self.status()}")
            time.sleep(step)

    def stop_service(self):
        self._service.terminate()
        if self._service.wait(60) != 0:
            raise process.ReaderFailed(f"the service ended with exit code {self._service.returncode}")

    def end(self):
        for program in (self._service, self._server):
            if program is not None and program.poll() is None:
                program.kill()
                program.wait()

    def proof(self):
        with inside(self._hub), jetstream.Stream(HUB, engine.PORT, "CONNTRACK") as stream:
            return sequences.prove(stream.messages())


@contextlib.contextmanager
def inside(name):
    """This thread in another network namespace."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(other)
        yield
    finally:
        _setns(own)
        os.close(own)
        os.close(other)


def _setns(file):
    import ctypes  # pylint: disable=import-outside-toplevel
    if ctypes.CDLL(None, use_errno=True).setns(file, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _repeated(*names):
    def fault(bed, args):
        for _ in range(args.kills):
            bed.kill(*names)
            bed.wait_connected()
            time.sleep(3)
    return fault


KINDS = {
    "cut": (lambda args: f"network cut for {args.cut:g} minutes", lambda bed, args: bed.cut()),
    "service": (lambda args: f"service killed {args.kills} times", _repeated("service")),
    "engine": (lambda args: f"server killed {args.kills} times", _repeated("server")),
    "both": (lambda args: f"both killed at once {args.kills} times", _repeated("service", "server")),
}


def run(args):
    outcomes = []
    for kind in args.kinds or KINDS:
        outcomes.append(_one(kind, args))
        print(f"{outcomes[-1].title}: {outcomes[-1].proof}; {outcomes[-1].collected}", flush=True)
    _publish(args, outcomes)
    return 1 if any(outcome.proof.missing or outcome.proof.other_copies for outcome in outcomes) else 0


def _one(kind, args):
    title, fault = KINDS[kind]
    directory = f"{readers.OUT}/faults-{os.getpid()}"
    os.makedirs(directory)
    try:
        with namespace.created() as node, _hub(node) as hub:
            bed = Bed(args, directory, node, hub)
            try:
                return _run(title(args), fault, bed, args, node, directory)
            finally:
                bed.end()
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def _hub(node):
    name = f"{node.name}-hub"
    namespace.run("ip", "netns", "add", name)
    try:
        for command in (("link", "set", "lo", "up"), ("link", "add", "node-1", "type", "veth", "peer", "name", "hub", "netns", node.name),
                        ("addr", "add", f"{HUB}/24", "dev", "node-1"), ("link", "set", "node-1", "up")):
            namespace.run("ip", "-n", name, *command)
        namespace.run("ip", "-n", node.name, "addr", "add", "10.79.0.2/24", "dev", "hub")
        namespace.run("ip", "-n", node.name, "link", "set", "hub", "up")
        namespace.run(*node.command("nft", "-f", "-"), input=RULES)
        node.sysctl("net.netfilter.nf_conntrack_udp_timeout", 1)
        yield name
    finally:
        namespace.run("ip", "netns", "del", name)


def _run(title, fault, bed, args, node, directory):
    with open(f"{directory}/nats.conf", "w", encoding="ascii") as file:
        file.write(f'listen: "0.0.0.0:{engine.PORT}"\njetstream: {{ store_dir: "{directory}/jetstream" }}\n')
    bed.start_server()
    bed.collect("--create-stream")
    bed.start_service()
    bed.wait_connected()
    with _child(node.command("sh", "-c", REAPER)):
        with Load(node, args.rate // 2) as load:
            time.sleep(CALM)
            fault(bed, args)
            ended = time.monotonic()
            time.sleep(CALM)
        while node.flows() > 0:
            time.sleep(0.5)
    bed.wait_settled()
    caught_up = time.monotonic() - ended
    bed.stop_service()
    return Outcome(title, load.made, bed.proof(), caught_up, bed.spool_peak, bed.collect())


class Load(threading.Thread):
    """New flows, no two alike, second by second: so it is known how many were made, whenever it ends."""

    def __init__(self, node, rate):
        super().__init__(daemon=True)
        self._node, self._rate, self._ends, self.made = node, rate, threading.Event(), 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self.join()

    def run(self):
        skip = 0
        while not self._ends.is_set():
            done = subprocess.run(self._node.command(f"{readers.OUT}/storm", "--count", self._rate, "--rate", self._rate, "--skip", skip, "--ending"),
                                  stdout=subprocess.PIPE, check=True)
            self.made += json.loads(done.stdout)["new"]
            skip += self._rate + UNEVEN


@contextlib.contextmanager
def _child(command):
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def _publish(args, outcomes):
    rows = [(outcome.title, f"{outcome.made:,}", f"{outcome.proof.kinds['start']:,}", f"{outcome.proof.kinds['end']:,}", outcome.proof.runs, f"{outcome.proof.missing:,}",
             f"{outcome.proof.copies:,}", f"{outcome.proof.other_copies:,}", f"{outcome.proof.lost:,}", f"{outcome.spool_peak / 2**20:,.0f}" if outcome.spool_peak else "",
             f"{outcome.catch_up:.0f}") for outcome in outcomes]
    body = report.table(("fault", "flows made", "start records", "end records", "runs", "missing by sequence", "messages stored again, same id",
                         "records stored again, other id", "lost by the node", "spool MiB", "seconds to catch up"), rows)
    body += "\n".join(f"\ncollect, {outcome.title}: {outcome.collected}" for outcome in outcomes) + "\n"
    body += (f"\nOne node at {args.rate:,} records a second, one nats-server behind a veth pair, in namespaces of their own. The cut is the veth pair's end down. "
             f"Kills are SIGKILL, {CALM} s after the load began, one 3 s after the last one's connection. After the load the stream is read message by message over the "
             "server's protocol (`lib/jetstream.py`). Missing: numbers of a run that no message has, the end of a run by what the next run says of it. "
             "To catch up: from the end of the last fault, with the last flows' ends in it.\n")
    report.publish("faults", f"A node of a fleet under faults, {args.rate:,} records a second", body, args.save)
