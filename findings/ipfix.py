"""Sends one IPFIX message (RFC 7011) with one template and one record to 127.0.0.1: ipfix.py PORT ELEMENT/LENGTH=VALUE …

ELEMENT is a number, or ENTERPRISE:NUMBER. VALUE is decimal, or an address. PADDING=BYTES in the environment adds so many zeros to the data set.
"""
import ipaddress
import os
import socket
import struct
import sys
import time

TEMPLATE = 256


def encode(length, value):
    if "." in value or ":" in value:
        return ipaddress.ip_address(value).packed
    return int(value).to_bytes(length, "big")


def field(spec):
    element, rest = spec.split("/")
    length, value = rest.split("=")
    enterprise, _, number = element.rpartition(":")
    number, length = int(number), int(length)
    definition = struct.pack("!HH", number | (0x8000 if enterprise else 0), length)
    if enterprise:
        definition += struct.pack("!I", int(enterprise))
    return definition, encode(length, value)


def set_of(number, body):
    return struct.pack("!HH", number, 4 + len(body)) + body


port = int(sys.argv[1])
fields = [field(spec) for spec in sys.argv[2:]]
template = set_of(2, struct.pack("!HH", TEMPLATE, len(fields)) + b"".join(definition for definition, _ in fields))
data = set_of(TEMPLATE, b"".join(value for _, value in fields) + bytes(int(os.environ.get("PADDING", "0"))))
body = template + data
message = struct.pack("!HHIII", 10, 16 + len(body), int(time.time()), 0, 1) + body
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(message, ("127.0.0.1", port))
