"""What the page costs the service while somebody looks: steady new flows, the same service, with no browser and with one, in turns."""

import os
import statistics
import subprocess
import time

from . import browser, measure, namespace, readers, report, table

ADDRESS = "127.0.0.1:8080"
# The browser's own connections are not of the flows that the storm counts.
RULES = """
table inet page {
  chain out {
    type filter hook output priority raw;
    tcp dport 8080 notrack
    tcp sport 8080 notrack
  }
}
"""
VIEWS = {"nobody": None, "overview": "#/", "flows": "#/flows"}


def run(args):
    costs = {view: [] for view in VIEWS}
    flows = args.rate * args.seconds
    reader = readers.READERS["json"]
    reader = readers.Reader("page", "the service", (*(part.replace("Api:Enabled=false", "Api:Enabled=true") for part in reader.command),
                                                    "--set", "Api:Socket={directory}/api.sock", "--set", f"Api:Listen:0={ADDRESS}"))
    with table.raised(flows + measure.WARM_UP + 10_000), namespace.created() as space, measure.scratch("page") as directory, \
            measure.running(space, reader, directory) as program:
        namespace.run(*space.command("nft", "-f", "-"), input=RULES)
        measure.storm(space, measure.WARM_UP, "--flush")
        program.wait_quiet()
        for number in range(1, args.rounds + 1):
            for view, place in VIEWS.items():
                costs[view].append(_one(space, program, place, args))
                print(f"round {number}, {args.rate:,}/s: {view}: {costs[view][-1]:.2f} % CPU", flush=True)
        if program.event_socket()[1] != 0:
            print("page: events were lost, the figures are of fewer", flush=True)
    _publish(args, costs)
    return 0


def _one(space, program, place, args):
    if place is None:
        return _cpu_percent(space, program, args)
    with browser.opened(space) as tab:
        tab.show_as(1280, 900)
        tab.open(f"http://{ADDRESS}/{place}")
        tab.wait("document.body?.dataset.status")
        # The browser has a processor's worth of work of its own: the least of all programs, so that the service is not measured waiting.
        for pid in _family(tab.pid):
            os.setpriority(os.PRIO_PROCESS, pid, 19)
        return _cpu_percent(space, program, args)


def _cpu_percent(space, program, args):
    program.wait_quiet()
    cpu, began = program.cpu_seconds(), time.monotonic()
    measure.storm(space, args.rate * args.seconds, "--rate", args.rate)
    used = 100 * (program.cpu_seconds() - cpu) / (time.monotonic() - began)
    space.flush()
    return used


def _family(pid):
    children = subprocess.run(["pgrep", "-P", str(pid)], check=False, stdout=subprocess.PIPE, text=True).stdout.split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _publish(args, costs):
    base = statistics.median(costs["nobody"])
    rows = [(view, f"{statistics.median(values):.2f}", f"{statistics.median(values) - base:+.2f}", f"{statistics.median(values) / base:.3f}")
            for view, values in costs.items()]
    body = report.table(("who looks", "CPU % of one processor", "more", "of nobody"), rows)
    body += (f"\n{args.rate:,} new flows a second for {args.seconds} s, JSON flow log to a file, one service for all; medians of {args.rounds} rounds. "
             "CPU: user and system of all threads of the service. The browser is a headless Chromium, niced, on the same machine.\n")
    report.publish("page", "The page", body, args.save)
