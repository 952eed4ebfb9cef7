"""A small gateway with clients behind it, for pictures: connections of many kinds through source and destination NAT, over IPv4 and IPv6."""

import contextlib
import os
import subprocess

from . import namespace

RULES = """
table inet gateway {
  chain translate {
    type nat hook postrouting priority srcnat;
    oifname { "wan", "wan2" } ip saddr 10.77.0.0/16 masquerade
  }
  chain publish {
    type nat hook prerouting priority dstnat;
    iifname "wan" tcp dport 8443 dnat ip to 10.77.1.20:443
  }
  chain track {
    type filter hook forward priority filter;
    ct state new accept
  }
  set video {
    type ipv4_addr
  }
  chain choose {
    type filter hook prerouting priority mangle;
    iifname != "lan" return
    meta mark set ct mark and 0x3f00
    meta mark 0 ip daddr @video meta mark set 0x200
    meta mark 0 meta mark set 0x100
    ct mark set meta mark
  }
}
"""

# What the rules above do, in the settings of the service.
RECLASSIFY = ("Reclassify:Enabled=true", "Reclassify:Mode=act", "Reclassify:Paths:0=wan mark=0x100/0x3f00 dev=wan",
              "Reclassify:Paths:1=wan2 mark=0x200/0x3f00 dev=wan2", "Reclassify:Sets:0=nft:inet/gateway/video=wan2")

SERVER = """
import asyncio, os

async def serve(reader, writer):
    try:
        while size := (await reader.readexactly(4)):
            writer.write(bytes(int.from_bytes(size)))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()

class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
    def datagram_received(self, data, address):
        self.transport.sendto(data * 4, address)

async def main():
    for port in PORTS:
        await asyncio.start_server(serve, None, port, backlog=1024)
    if DATAGRAMS:
        for address in ("198.51.100.53", "198.51.100.54"):
            await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=(address, 53))
    await asyncio.Event().wait()

asyncio.run(main())
"""

CLIENT = """
import asyncio, random

draw = random.Random(7)
SOURCES = [f"10.77.1.{n}" for n in range(10, 60)]
WEIGHTS = [60 / (n + 1) for n in range(len(SOURCES))]
PORTS = [443] * 12 + [80] * 3 + [22, 8883]

async def connection(source, target, port):
    try:
        reader, writer = await asyncio.open_connection(target, port, local_addr=(source, 0))
        for _ in range(draw.choice((1, 1, 2, 5))):
            size = int(draw.paretovariate(1.1) * 2000) % 2_000_000
            writer.write(size.to_bytes(4))
            await reader.readexactly(size)
            await asyncio.sleep(draw.expovariate(1 / 4))
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass

async def question(loop, source):
    try:
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(source, 0), remote_addr=(f"198.51.100.{draw.choice((53, 54))}", 53))
        transport.sendto(bytes(40))
        await asyncio.sleep(0.5)
        transport.close()
    except OSError:
        pass

async def main():
    loop, tasks = asyncio.get_running_loop(), set()
    while True:
        source = draw.choices(SOURCES, WEIGHTS)[0]
        kind = draw.random()
        if INBOUND:
            work = connection("198.51.100.77", "203.0.113.1", 8443)
        elif kind < 0.45:
            work = question(loop, source)
        elif kind < 0.6:
            work = connection(f"2001:db8:77::{draw.randrange(10, 40):x}", f"2001:db8:100::{draw.randrange(1, 9):x}", 443)
        else:
            work = connection(source, f"198.51.100.{draw.randrange(1, 200)}", draw.choice(PORTS))
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(draw.expovariate(RATE))

asyncio.run(main())
"""

# The kernel's own collector takes up to a minute to see that a timer has run out; a dump does it at once.
REAPER = "while sleep 1; do conntrack -L -m 0x7fffffff; done"


@contextlib.contextmanager
def created(rate=120):
    """The gateway's namespace, with traffic through it."""
    mark = os.getpid()
    spaces = {name: namespace.Namespace(f"cs-scene-{mark}-{name}") for name in ("lan", "gate", "net")}
    lan, gate, net = spaces.values()
    programs = []
    try:
        for space in spaces.values():
            namespace.run("ip", "netns", "add", space.name)
            namespace.run("ip", "-n", space.name, "link", "set", "lo", "up")
            for family in ("ipv4", "ipv6"):
                space.sysctl(f"net.{family}.ip_nonlocal_bind", 1)
        _link(lan, "eth0", "10.77.0.2/16", "2001:db8:77::2/64", gate, "lan", "10.77.0.1/16", "2001:db8:77::1/64")
        _link(net, "eth0", "203.0.113.2/24", "2001:db8:113::2/64", gate, "wan", "203.0.113.1/24", "2001:db8:113::1/64")
        _ip(lan, "route add default via 10.77.0.1; -6 route add default via 2001:db8:77::1; route add local 10.77.1.0/24 dev lo; "
                 "-6 route add local 2001:db8:77::/122 dev lo metric 5")
        _ip(net, "route add default via 203.0.113.1; -6 route add default via 2001:db8:113::1; route add local 198.51.100.0/24 dev lo; "
                 "-6 route add local 2001:db8:100::/64 dev lo")
        _link(net, "eth1", "203.0.114.2/24", "2001:db8:114::2/64", gate, "wan2", "203.0.114.1/24", "2001:db8:114::1/64")
        _ip(gate, "route add 198.51.100.0/24 via 203.0.113.2; -6 route add 2001:db8:100::/64 via 2001:db8:113::2; "
                  "route add 198.51.100.0/24 via 203.0.113.2 table 1; route add 198.51.100.0/24 via 203.0.114.2 table 2; "
                  "rule add fwmark 0x100/0x3f00 table 1; rule add fwmark 0x200/0x3f00 table 2")
        gate.sysctl("net.ipv4.ip_forward", 1)
        gate.sysctl("net.ipv6.conf.all.forwarding", 1)
        namespace.run(*gate.command("nft", "-f", "-"), input=RULES)
        for space, text in ((net, f"PORTS, DATAGRAMS = (443, 80, 22, 8883), True\n{SERVER}"), (lan, f"PORTS, DATAGRAMS = (443,), False\n{SERVER}"),
                            (lan, f"INBOUND, RATE = False, {rate}\n{CLIENT}"), (net, f"INBOUND, RATE = True, {rate / 20}\n{CLIENT}")):
            programs.append(subprocess.Popen(space.command("python3", "-c", text), stdin=subprocess.DEVNULL))
        programs.append(subprocess.Popen(gate.command("sh", "-c", REAPER), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        yield gate
    finally:
        for program in programs:
            program.kill()
            program.wait()
        for space in spaces.values():
            subprocess.run(["ip", "netns", "del", space.name], check=False, stderr=subprocess.DEVNULL)


def recognise(gate, addresses):
    """What DPI does once it knows what runs there: these belong on the second uplink."""
    namespace.run(*gate.command("nft", "add", "element", "inet", "gateway", "video", "{", ", ".join(addresses), "}"))


def _ip(space, commands):
    for command in commands.split("; "):
        namespace.run("ip", "-n", space.name, *command.split())


def _link(one, device, *rest):
    addresses, other, its, its_addresses = rest[:2], rest[2], rest[3], rest[4:]
    namespace.run("ip", "-n", one.name, "link", "add", device, "type", "veth", "peer", "name", its, "netns", other.name)
    for space, name, pair in ((one, device, addresses), (other, its, its_addresses)):
        for address in pair:
            namespace.run("ip", "-n", space.name, "address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        namespace.run("ip", "-n", space.name, "link", "set", name, "up")
