"""Real flows between two namespaces. `serve` answers them; `make COUNT RATE` makes them, and prints each as protocol, client and source port
(ICMP: id). Each client has 50 flows, so that its entries can be deleted without more events at once than conntrack -E has room for."""

import itertools
import os
import selectors
import socket
import struct
import sys
import time

SERVER, PORT = "10.78.128.1", 7007
FLOWS_OF_A_CLIENT = 50


def serve():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server((SERVER, PORT), backlog=1024) as tcp, \
            selectors.DefaultSelector() as ready:
        udp.bind((SERVER, PORT))
        ready.register(udp, selectors.EVENT_READ)
        ready.register(tcp, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in ready.select():
                if key.fileobj is udp:
                    data, source = udp.recvfrom(64)
                    udp.sendto(data, source)
                else:
                    with tcp.accept()[0] as client:
                        client.sendall(client.recv(64))


def client_of(number):
    index = number // FLOWS_OF_A_CLIENT
    return f"10.78.{index // 250}.{index % 250 + 1}"


def over_udp(number):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.bind((client_of(number), 0))
        client.connect((SERVER, PORT))
        client.send(b"?")
        client.recv(64)
        return "udp", *client.getsockname()


def over_tcp(number):
    with socket.create_connection((SERVER, PORT), timeout=10, source_address=(client_of(number), 0)) as client:
        client.sendall(b"?")
        client.recv(64)
        return "tcp", *client.getsockname()


def ping(number):
    ident = number % 0xFFFF + 1
    body = struct.pack("!BBHHH", 8, 0, 0, ident, 1)
    words = sum(struct.unpack("!4H", body))
    checksum = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(10)
        raw.bind((client_of(number), 0))
        raw.connect((SERVER, 0))
        raw.send(struct.pack("!BBHHH", 8, 0, checksum, ident, 1))
        while True:
            answer = raw.recv(256)
            header = (answer[0] & 15) * 4
            if answer[header] == 0 and answer[header + 4:header + 6] == struct.pack("!H", ident):
                return "icmp", client_of(number), ident


def make(count, rate):
    began = time.monotonic()
    for number, way in zip(range(count), itertools.cycle((over_udp, over_tcp, ping))):
        print(*way(number), flush=True)
        time.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))


if __name__ == "__main__":
    try:
        serve() if sys.argv[1] == "serve" else make(int(sys.argv[2]), float(sys.argv[3]))
    except KeyboardInterrupt:
        os._exit(130)
