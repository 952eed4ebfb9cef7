"""An eBPF map with the keys of the AWS Network Policy Agent (IPv4, values of one byte): made, pinned and filled by bpf(2)."""

import ctypes
import os
import platform
import socket
import struct

CREATE, UPDATE, PIN = 0, 2, 6
LRU_HASH = 9
KEY, VALUE = struct.Struct("=4sH2x4sHBx4s"), b"\1"  # source, its port, destination, its port, protocol, owner
_NUMBER = {"x86_64": 321, "aarch64": 280}
_libc = ctypes.CDLL(None, use_errno=True)


class AgentMap:
    def __init__(self, path, entries):
        self._fd = _bpf(CREATE, struct.pack("=5I8x16s", LRU_HASH, KEY.size, len(VALUE), entries, 0, b"aws_conntrack"))
        pin = ctypes.create_string_buffer(path.encode())
        _bpf(PIN, struct.pack("=QI", ctypes.addressof(pin), self._fd))

    def add(self, record):
        """The entry of a flow of the flow log, as the agent makes it for the client's packets."""
        key = ctypes.create_string_buffer(KEY.pack(
            socket.inet_aton(record["src"]), record["sport"], socket.inet_aton(record["dst"]), record["dport"], record["proto_num"],
            socket.inet_aton(record["src"])), KEY.size)
        value = ctypes.create_string_buffer(VALUE, len(VALUE))
        _bpf(UPDATE, struct.pack("=I4xQQQ", self._fd, ctypes.addressof(key), ctypes.addressof(value), 0))


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = _libc.syscall(_NUMBER[platform.machine()], command, buffer, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result
