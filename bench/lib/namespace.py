"""A network namespace that tracks every connection on its loopback device, and nothing else."""

import contextlib
import os
import subprocess

# Dropped only after the outgoing hook has made and confirmed the entry: no socket lookup, no ICMP error back.
RULES = """
table inet storm {
  chain out {
    type filter hook output priority 0;
    ct state new accept
  }
  chain in {
    type filter hook input priority 0;
    meta l4proto udp drop
  }
}
"""


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


class Namespace:
    def __init__(self, name):
        self.name = name

    def command(self, *command):
        """`ip netns exec` becomes the program: the process id is the program's own."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def sysctl(self, name, value):
        run(*self.command("sysctl", "-qw", f"{name}={value}"))

    def flows(self):
        return int(run(*self.command("cat", "/proc/sys/net/netfilter/nf_conntrack_count")))

    def flush(self):
        run(*self.command("conntrack", "-F"), stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def created():
    namespace = Namespace(f"cs-bench-{os.getpid()}")
    run("ip", "netns", "add", namespace.name)
    try:
        run("ip", "-n", namespace.name, "link", "set", "lo", "up")
        run("ip", "-n", namespace.name, "-6", "route", "add", "local", "fd00:c5::/32", "dev", "lo")
        run(*namespace.command("nft", "-f", "-"), input=RULES)
        # The same events for every reader: conntrack-stream turns these on, which makes each DESTROY longer.
        namespace.sysctl("net.netfilter.nf_conntrack_acct", 1)
        namespace.sysctl("net.netfilter.nf_conntrack_timestamp", 1)
        # No entry may expire while a reader is being measured.
        for timeout in ("udp_timeout", "tcp_timeout_close"):
            namespace.sysctl(f"net.netfilter.nf_conntrack_{timeout}", 3600)
        yield namespace
    finally:
        run("ip", "netns", "del", namespace.name)
