"""What the fleet's benchmarks send to: a nats-server, librdkafka's broker for tests, and a collector of IPFIX that only counts."""

import contextlib
import subprocess
import time

PORT, COLLECTOR_PORT = 4222, 4739
URL = f"nats://127.0.0.1:{PORT}"

# The way to the engine is not tracked, and datagrams to the collector are not dropped as those of the storm are.
_PORTS = f"{{ {PORT}, {COLLECTOR_PORT} }}"
RULES = f"""
table inet engine {{
  chain out {{ type filter hook output priority raw; th dport {_PORTS} notrack; th sport {_PORTS} notrack; }}
  chain in {{ type filter hook prerouting priority raw; th dport {_PORTS} notrack; th sport {_PORTS} notrack; }}
}}
insert rule inet storm in udp dport {COLLECTOR_PORT} accept
"""


class Server:
    def __init__(self, process):
        self.process = process

    def cpu_seconds(self):
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def peak_memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


@contextlib.contextmanager
def nats_server(space, directory):
    """One server with file storage, at its defaults."""
    with open(f"{directory}/nats.conf", "w", encoding="ascii") as file:
        file.write(f'listen: "127.0.0.1:{PORT}"\njetstream: {{ store_dir: "{directory}/jetstream" }}\n')
    process = subprocess.Popen(space.command("nats-server", "-c", f"{directory}/nats.conf", "-l", f"{directory}/nats.log"))
    try:
        subprocess.run(space.command("bash", "-c", f"until exec 3<>/dev/tcp/127.0.0.1/{PORT}; do sleep 0.1; done 2>/dev/null"), check=True, timeout=30)
        yield Server(process)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def kafka_broker(space, program):
    """librdkafka's broker for tests, in a process of its own. Yields it, and its address."""
    process = subprocess.Popen(space.command(program, "kafka-broker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        port = address.rpartition(":")[2]
        rules = "\n".join(f"add rule inet engine {chain} tcp {end} {port} notrack" for chain in ("in", "out") for end in ("sport", "dport"))
        subprocess.run(space.command("nft", "-f", "-"), input=rules, check=True, text=True)
        yield Server(process), address
    finally:
        process.kill()
        process.wait()


# Counts datagrams, and prints the count at its end; what comes over TCP it reads and discards.
COLLECTOR = f"""
import selectors, signal, socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
udp.bind(("127.0.0.1", {COLLECTOR_PORT}))
tcp = socket.create_server(("127.0.0.1", {COLLECTOR_PORT}))
messages, buffer, ready = 0, bytearray(1 << 20), selectors.DefaultSelector()
ready.register(udp, selectors.EVENT_READ)
ready.register(tcp, selectors.EVENT_READ)
udp.setblocking(False)
ended = False
def end(*_):
    global ended
    ended = True
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while not ended:
    for key, _ in ready.select(0.2):
        if key.fileobj is tcp:
            ready.register(tcp.accept()[0], selectors.EVENT_READ)
        elif key.fileobj is not udp:
            if not key.fileobj.recv_into(buffer):
                ready.unregister(key.fileobj)
                key.fileobj.close()
        else:
            try:
                for _ in range(256):
                    udp.recv_into(buffer)
                    messages += 1
            except BlockingIOError:
                pass
print(messages)
"""


@contextlib.contextmanager
def collector(space):
    """Yields a function that ends it and returns the number of datagrams it has got."""
    process = subprocess.Popen(space.command("python3", "-c", COLLECTOR), stdout=subprocess.PIPE, text=True)
    process.stdout.readline()

    def end():
        process.terminate()
        return int(process.communicate(timeout=30)[0])

    try:
        yield end
    finally:
        process.kill()
        process.wait()
