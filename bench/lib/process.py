"""One running reader, observed from outside: CPU, memory, and its conntrack socket as the kernel sees it. The same for every reader."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

NEW_AND_DESTROY = 0b101  # groups NFNLGRP_CONNTRACK_NEW 1 and _DESTROY 3, as /proc/net/netlink shows them
SYS_PIDFD_GETFD = 438
SO_RCVBUFFORCE = 33


class ReaderFailed(Exception):
    """The reader did not start, or ended by itself."""


class Reader:
    def __init__(self, command, stdout, stderr):
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        self.pid = self.process.pid

    def cpu_seconds(self):
        """User and system time of all its threads, past ones too, to the nanosecond: clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self, field):
        """A size of /proc/PID/status (VmRSS, VmHWM, RssAnon) in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise ReaderFailed("it has ended")

    def event_socket(self):
        """(queued bytes, refused deliveries, inode) of its socket in the conntrack groups; None before it has joined."""
        self.check_alive()
        try:
            return self._event_socket()
        except FileNotFoundError:
            self.process.wait(1)
            raise ReaderFailed(f"it ended with exit code {self.process.returncode}") from None

    def _event_socket(self):
        own = set()
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                own.add(os.readlink(f"/proc/{self.pid}/fd/{fd}"))
        with open(f"/proc/{self.pid}/net/netlink", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                _, protocol, _, groups, queued, _, _, _, drops, inode = line.split()
                if int(protocol) == 12 and int(groups, 16) & NEW_AND_DESTROY == NEW_AND_DESTROY and f"socket:[{inode}]" in own:
                    return int(queued), int(drops), int(inode)
        return None

    def force_receive_buffer(self, size):
        """For a reader that cannot do it itself: conntrack's -b resizes the socket of its requests instead."""
        inode = self.event_socket()[2]
        number = next(int(fd) for fd in os.listdir(f"/proc/{self.pid}/fd")
                      if os.readlink(f"/proc/{self.pid}/fd/{fd}") == f"socket:[{inode}]")
        pidfd = os.pidfd_open(self.pid)
        fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
        os.close(pidfd)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        with socket.socket(fileno=fd) as event_socket:
            event_socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)

    def check_alive(self):
        if self.process.poll() is not None:
            raise ReaderFailed(f"it ended with exit code {self.process.returncode}")

    def wait_joined(self, timeout=30):
        self._wait(lambda: self.event_socket() is not None, timeout, "joining the conntrack groups")

    def wait_quiet(self, timeout=180):
        """Until its queue is empty and, for half a second, it uses less than 1 % of a CPU."""
        def quiet():
            before = self.cpu_seconds()
            time.sleep(0.5)
            return self.event_socket()[0] == 0 and self.cpu_seconds() - before < 0.005
        self._wait(quiet, timeout, "coming to rest")

    def _wait(self, condition, timeout, what):
        deadline = time.monotonic() + timeout
        while not condition():
            self.check_alive()
            if time.monotonic() > deadline:
                raise ReaderFailed(f"{what} took more than {timeout} s")
            time.sleep(0.01)

    def stop(self):
        """Ends it as an operator would. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


@contextlib.contextmanager
def started(command, stdout, stderr):
    reader = Reader(command, stdout, stderr)
    try:
        yield reader
    finally:
        reader.stop()
