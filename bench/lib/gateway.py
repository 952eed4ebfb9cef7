"""The namespace as a gateway with two uplinks, and sets of destinations that belong on one of them."""

import contextlib
import random
import subprocess

from . import namespace, process

SETS = 16
MANY, FEW = 100_000, 100  # entries of a set
DESTINATIONS = 1 << 17  # 198.18.0.0/15, where the storm's flows go
LIFETIME = 6  # seconds of a flow: the last of three looks, at 5 s, still finds it
WAN1 = "0x100"  # the mark of every flow: wan1's

RULES = f"""
table inet gateway {{
  chain out {{
    type filter hook output priority 1;
    ct state new ct mark set {WAN1}
  }}
}}
"""


@contextlib.contextmanager
def created():
    """What leaves by an uplink, the other end drops at once: it is not for that end's MAC address."""
    with namespace.created() as space:
        for number in ("1", "2"):
            _ip(space, "link", "add", f"wan{number}", "type", "veth", "peer", "name", f"isp{number}")
            _ip(space, "link", "set", f"isp{number}", "up")
            _ip(space, "link", "set", f"wan{number}", "up")
            _ip(space, "address", "add", f"192.0.{number}.1/24", "dev", f"wan{number}")
            _ip(space, "neighbour", "add", f"192.0.{number}.254", "dev", f"wan{number}", "lladdr", "02:00:00:00:00:01", "nud", "permanent")
        _ip(space, "link", "add", "lan", "type", "veth", "peer", "name", "clients")
        _ip(space, "link", "set", "clients", "up")
        _ip(space, "link", "set", "lan", "up")
        _ip(space, "address", "add", "10.77.0.254/24", "dev", "lan")
        _ip(space, "route", "add", "default", "via", "192.0.1.254")
        _ip(space, "route", "add", "default", "via", "192.0.2.254", "table", "2")
        _ip(space, "rule", "add", "fwmark", "0x200/0x3f00", "table", "2")
        namespace.run(*space.command("nft", "-f", "-"), input=RULES)
        space.sysctl("net.ipv4.ip_forward", 1)  # routing is asked whether the clients' packets would leave by the other uplink
        space.sysctl("net.netfilter.nf_conntrack_udp_timeout", LIFETIME)
        yield space


def path(number):
    """Where members of the set of that number belong."""
    return f"wan{1 + number % 2}"


def members(number, entries):
    """Other addresses, and in the large sets each 1600th destination: all sixteen have one in a hundred, half of them on the other uplink."""
    draw = random.Random(entries * SETS + number)
    own = [0xC6120000 + n for n in range(number * 100, DESTINATIONS, SETS * 100)] if entries == MANY else []
    drawn = set()
    while len(drawn) < entries - len(own):
        drawn.add(draw.randrange(1 << 24, 0x0A000000))
    return [".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)) for address in (*own, *drawn)]


def make_ipsets(space, prefix, entries):
    """hash:ip sets PREFIX_0 to PREFIX_15, an hour left of each member."""
    for number in range(SETS):
        name = f"{prefix}_{number}"
        lines = [f"create {name} hash:ip timeout 3600 maxelem {2 * entries} hashsize {entries}"]
        lines += [f"add {name} {member}" for member in members(number, entries)]
        namespace.run(*space.command("ipset", "restore"), input="\n".join(lines) + "\n")


def make_nft_sets(space, prefix, entries):
    for number in range(SETS):
        text = f"table inet apps {{ set {prefix}_{number} {{ type ipv4_addr; timeout 1h; elements = {{ {', '.join(members(number, entries))} }}\n }}\n }}\n"
        namespace.run(*space.command("nft", "-f", "-"), input=text)


@contextlib.contextmanager
def expiry(space):
    """Takes expired entries out of the table, each quarter of a second: the kernel's own collector takes up to a minute. A dump that wants none of them does it."""
    command = space.command("sh", "-c", "while sleep 0.25; do conntrack -L -m 0x7fffffff; done")
    with process.started(command, subprocess.DEVNULL, subprocess.DEVNULL):
        yield


def _ip(space, *arguments):
    namespace.run("ip", "-n", space.name, *arguments)
