"""Another program flushes a large table: does the reader keep up while ctnetlink's mutex is held, and does the service go on answering?"""

import contextlib
import http.client
import socket
import subprocess
import threading
import time

from . import measure, namespace, process, readers, report, table

BUFFER = 512 << 20  # granted: twice what SO_RCVBUFFORCE is asked for
NEW_RATE = 2_000  # flows a second that begin meanwhile
OURS = ("--set", f"Tap:ReceiveBufferBytes={BUFFER}", "--set", "Api:Enabled=true", "--set", "Api:Socket={directory}/api.sock")
LIMIT = ("--buffer", str(BUFFER // 2))
ASKS = ("/healthz", "/v1/status", "/metrics")


def run(args):
    rows = []
    for name in args.readers:
        with table.raised(args.flows + 200_000), namespace.created() as space:
            rows.append(_row(space, readers.READERS[name], args.flows))
            print(rows[-1], flush=True)
    body = report.table(("reader", "flush, s", "events lost", "highest backlog, MiB", "of the buffer", "caught up after the flush, s",
                         "longest answer, ms: health", "status", "metrics", "answers, of them 503"), rows)
    body += f"""
{args.flows:,} UDP flows in a network namespace of their own, flushed by `conntrack -F` (the time it took, first column) while flows begin at
{NEW_RATE:,}/s. Receive buffer 512 MiB. Backlog: bytes queued on the event socket, looked at each millisecond. Each path of the API is asked again
10 ms after it has answered, from the beginning of the flush until the reader has caught up.
"""
    report.publish("flush", f"A flush of {args.flows:,} flows by another program", body, args.save)


def _row(space, reader, flows):
    ours = readers.is_ours(reader)
    with measure.scratch(reader.name) as directory, measure.running(space, reader, directory, OURS if ours else LIMIT) as program:
        if measure.storm(space, flows)["new"] < flows:
            raise process.ReaderFailed("the storm made fewer flows than it was asked for")
        program.wait_quiet()
        before = program.event_socket()[1]
        asks = [Asking(f"{directory}/api.sock", path) for path in ASKS] if ours else []
        with _meanwhile(space), Backlog(program) as backlog, contextlib.ExitStack() as asking:
            time.sleep(2)
            for ask in asks:
                asking.enter_context(ask)
            began = time.monotonic()
            space.flush()
            took = time.monotonic() - began
            caught_up = _caught_up(program, began + took)
        program.wait_quiet()
        lost = program.event_socket()[1] - before
    answers = [f"{1000 * ask.longest:.1f}" for ask in asks] + [f"{sum(ask.answers for ask in asks):,}, {sum(ask.unwell for ask in asks):,}"]
    return (reader.title, f"{took:.2f}", f"{lost:,}", f"{backlog.highest / 2**20:.1f}", f"{100 * backlog.highest / BUFFER:.1f} %", f"{caught_up:.2f}",
            *(answers if ours else [""] * 4))


def _caught_up(program, ended):
    while program.event_socket()[0] > 1 << 20:
        time.sleep(0.001)
    return time.monotonic() - ended


@contextlib.contextmanager
def _meanwhile(space):
    generator = subprocess.Popen(space.command(f"{readers.OUT}/storm", "--count", 150_000, "--rate", NEW_RATE, "--ipv6", "--ending"),
                                 stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        generator.terminate()
        generator.wait()


class Beside:
    """Does something again and again on a thread of its own, with a pause, until the block ends."""

    def __init__(self, pause):
        self._pause = pause
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _run(self):
        while not self._ends.wait(self._pause):
            self._once()


class Backlog(Beside):
    """The highest number of bytes queued on the event socket."""

    def __init__(self, program):
        super().__init__(pause=0.001)
        self.highest = 0
        self._path, self._inode = f"/proc/{program.pid}/net/netlink", str(program.event_socket()[2])

    def _once(self):
        with open(self._path, encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[-1] == self._inode:
                    self.highest = max(self.highest, int(fields[4]))


class Asking(Beside):
    """Asks one path of the API again and again; the longest time to a whole answer."""

    def __init__(self, path, what):
        super().__init__(pause=0.01)
        self.longest, self.answers, self.unwell = 0.0, 0, 0
        self._path, self._what = path, what

    def _once(self):
        began = time.monotonic()
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self._path)
        connection.request("GET", self._what)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        self.unwell += answer.status != 200  # /healthz says 503 when the loop does not turn in time
        self.longest = max(self.longest, time.monotonic() - began)
        self.answers += 1
