"""The service under test, and its log on a small disk of its own."""

import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import time

from .. import process

BUFFERS = (None, 4 << 20, 1 << 20)  # bytes of receive buffer; None = the service's default
DISK = 512  # MiB


def now_us():
    return time.time_ns() // 1000


class Service(process.Reader):
    """One run of the program. In a session of its own: Ctrl-C is for the test alone."""

    def __init__(self, command, stderr):  # pylint: disable=super-init-not-called
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, start_new_session=True)
        self.pid = self.process.pid


class Supervisor:
    """Starts, ends and watches the service, and moves its log files away for the checker."""

    def __init__(self, space, program, directory, settings, draw: random.Random, note):
        self._space, self._program, self._directory, self._settings, self._draw, self._note = space, program, directory, settings, draw, note
        self.disk = f"{directory}/log"
        self.path = f"{self.disk}/flows.ndjson"
        self.service = None
        self.starts = 0
        self._moved = None  # a log file renamed, not yet known to be complete
        self._torn = False  # its last line may be
        self._moves = 0

    @contextlib.contextmanager
    def mounted(self):
        os.makedirs(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "truth", self.disk], check=True)
        try:
            yield
        finally:
            if self.service is not None and self.service.process.poll() is None:
                self.service.process.send_signal(signal.SIGCONT)
                self.service.stop()
            subprocess.run(["umount", "-l", self.disk], check=True)

    def start(self):
        buffer = self._draw.choice(BUFFERS)
        settings = [f"FlowLog:Path={self.path}", "FlowLog:Rotation:MaxBytes=0", f"State:Directory={self._directory}/state", "Api:Enabled=false", *self._settings]
        if buffer is not None:
            settings.append(f"Tap:ReceiveBufferBytes={buffer}")
        command = self._space.command(self._program, "run", *(part for setting in settings for part in ("--set", setting)))
        with open(f"{self._directory}/service.log", "ab") as stderr:
            self.service = Service(command, stderr)
        self.starts += 1
        self._note({"what": "up", "at": now_us(), "buffer": buffer})
        return f"buffer {buffer or 'default'}"

    def end(self, how):
        """Ends it by a signal and notes which checkpoint the next run will find."""
        before, at = self._checkpoint(), now_us()
        self.service.process.send_signal(how)
        try:
            code = self.service.process.wait(60)
        except subprocess.TimeoutExpired:
            self.service.process.kill()
            code = self.service.process.wait()
        orderly = how == signal.SIGTERM
        self._torn = self._moved is not None and not orderly
        if orderly and code != 0:
            self._note({"what": "program", "text": f"exit code {code} after SIGTERM"})
        self._note({"what": "down", "at": at, "checkpoint": self._checkpoint() if orderly and code == 0 else before})

    def watch(self):
        """Starts it again if it has ended by itself, which is a violation."""
        code = self.service.process.poll()
        if code is not None:
            self._note({"what": "program", "text": f"it ended by itself with exit code {code}"})
            self._note({"what": "down", "at": now_us(), "checkpoint": self._checkpoint()})
            time.sleep(1)
            self.start()

    def _checkpoint(self):
        """When the file of flow ids was last written; 0 = there is none."""
        files = glob.glob(f"{self._directory}/state/*flow-ids")
        return max((os.stat(path).st_mtime_ns // 1000 for path in files), default=0)

    def has_log(self):
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.path).st_size > 0
        return False

    def move_log(self):
        """As an outside rotation does. True if there was something to move; one move at a time."""
        if self._moved is not None or not self.has_log():
            return False
        self._moved = f"{self.path}.{self._moves}"
        os.rename(self.path, self._moved)
        return True

    def remove_log(self):
        """Its whole lines until then are one more file for the checker. False if another file is on its way."""
        if self._moved is not None or not self.has_log():
            return False
        with open(self.path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            os.unlink(self.path)
            lines = file.read(size)
        target, name = self._next()
        with open(target, "wb") as file:
            file.write(lines[:lines.rfind(b"\n") + 1])
        self._note({"what": "log", "path": target, "name": name})
        return True

    def _next(self):
        self._moves += 1
        name = f"flows.{self._moves:06}"
        return f"{self._directory}/complete/{name}", name

    def collect(self, ended=False):
        """A moved file is complete when the service writes to its successor, or has ended."""
        if self._moved is not None and (ended or self.has_log()):
            target, name = self._next()
            shutil.move(self._moved, target)
            self._moved = None
            self._note({"what": "log", "path": target, "name": name, "torn": self._torn})
            self._torn = False
