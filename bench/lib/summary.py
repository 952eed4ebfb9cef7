"""summary over a large table: how long the verb and the running service take, and what memory, beside the tool that lists the table."""

import http.client
import os
import socket
import statistics
import time

from . import measure, namespace, readers, report, table

OURS = ("--set", "Api:Enabled=true", "--set", "Api:Socket={directory}/api.sock")
INTERVAL = "100ms"  # between the two looks that rates are taken from; the table is read in between


def run(args):
    with table.raised(args.flows + 10_000), namespace.created() as space, measure.scratch("summary") as directory, \
            measure.running(space, readers.READERS["view"], directory, OURS) as program:
        measure.storm(space, args.flows)
        program.wait_quiet()
        program.wait_quiet()  # the audit of the table that has grown
        ways = {
            "conntrack -L, to nowhere": lambda: _program(space, "conntrack", "-L"),
            "summary": lambda: _program(space, readers.OURS, "summary", "--interval", INTERVAL),
            "GET /v1/summary": lambda: _request(program, f"{directory}/api.sock", f"/v1/summary?interval={INTERVAL}"),
            "GET /v1/summary, one address": lambda: _request(
                program, f"{directory}/api.sock", f"/v1/summary?interval={INTERVAL}&dst=127.1.0.7"),
        }
        costs = {way: [] for way in ways}
        for number in range(1, args.rounds + 1):
            for way, once in ways.items():
                costs[way].append(once())
                print(f"round {number}: {way}: {costs[way][-1][0]:.2f} s, CPU {costs[way][-1][1]:.2f} s, {costs[way][-1][2] / 2**20:.1f} MiB", flush=True)
    body = report.table(("", "s", "CPU s", "MiB"),
                        [(way, *(f"{statistics.median(cost[at] for cost in rounds):.2f}" for at in (0, 1)),
                          f"{statistics.median(cost[2] for cost in rounds) / 2**20:.1f}") for way, rounds in costs.items()])
    body += (f"\n{args.flows:,} UDP flows to 65,536 addresses, all of them alive; medians of {args.rounds} rounds, one after the other. The two looks are "
             f"{INTERVAL} apart. MiB: the peak of the program; of the service, what the answer takes beyond its size before.\n")
    report.publish("summary", "The table, explained", body, args.save)
    return 0


def _program(space, *command):
    began = time.monotonic()
    pid = os.posix_spawnp("ip", space.command(*command), os.environ,
                          file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)])
    _, status, used = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with status {status}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _request(program, path, what):
    with open(f"/proc/{program.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # VmHWM begins again
    size, cpu, began = program.memory("VmRSS"), program.cpu_seconds(), time.monotonic()
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request("GET", what)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{what}: {answer.status}")
    return time.monotonic() - began, program.cpu_seconds() - cpu, max(0, program.memory("VmHWM") - size)
