"""All readers over the same storm, one after the other, round by round: a reader's ratio is to the limit of its own round."""

import statistics

from . import measure, namespace, process, readers, report, table


def run(args):
    names = list(dict.fromkeys(["limit", *args.readers]))
    options = ["--ipv6"] if args.ipv6 else []
    if args.rate:
        options += ["--rate", args.rate]
    results, failures = {name: [] for name in names}, {}
    with namespace.created() as space:
        for number in range(1, args.rounds + 1):
            for name in names:
                if name not in failures:
                    _one(space, number, readers.READERS[name], args.flows, options, results, failures)
    _publish(args, names, results, failures)
    return 1 if failures else 0


def _one(space, number, reader, flows, options, results, failures):
    try:
        with table.raised(flows + flows // 4 + 10_000):  # held no longer than it must: the kernel tests wait for it
            result = measure.over_storm(space, reader, flows, options)
    except process.ReaderFailed as failure:
        failures[reader.name] = str(failure)
        space.flush()
        print(f"round {number}: {reader.title}: {failure}", flush=True)
        return
    results[reader.name].append(result)
    print(f"round {number}: {reader.title}: {result.cpu_per_event * 1e6:.2f} µs an event, {result.seen} of {result.sent}, "
          f"lost {result.lost}, storm at {result.new_rate / 1000:.0f}k/s", flush=True)


def _median(results, value):
    return statistics.median(value(result) for result in results)


def _row(title, results, limits):
    ratios = [result.cpu_per_event / limit.cpu_per_event for result, limit in zip(results, limits)]
    costs = [result.cpu_per_event * 1e6 for result in results]
    mark = "*" if results[0].seen_by_kernel else ""
    return (title, f"{_median(results, lambda r: r.seen):,.0f}{mark}", f"{_median(results, lambda r: r.lost):,.0f}",
            f"{statistics.median(costs):.2f}", f"{min(costs):.2f} to {max(costs):.2f}", f"{statistics.median(ratios):.2f}",
            f"{_median(results, lambda r: r.start_cpu) * 1000:.0f}", f"{_median(results, lambda r: r.peak_memory) / 2**20:.0f}")


def _publish(args, names, results, failures):
    limits = results["limit"]
    if not limits:
        raise SystemExit(f"the limit could not be measured: {failures['limit']}")
    header = ("reader", f"events seen of {limits[0].sent:,}", "lost", "CPU µs an event", "least to most", "of the limit", "start CPU ms",
              "peak MiB")
    rows = [_row(readers.READERS[name].title, results[name], limits) if results[name]
            else (readers.READERS[name].title, *["–"] * 7) for name in names]
    rate = _median(limits, lambda r: r.new_rate)
    body = report.table(header, rows)
    body += (f"\n{args.flows:,} {'IPv6' if args.ipv6 else 'IPv4'} UDP flows made at {rate / 1000:.0f}k/s{' (paced)' if args.rate else ''}, then flushed at once; "
             f"before them, for every reader, {measure.WARM_UP:,} to warm up, which are in events seen and lost but not in CPU. Medians of "
             f"{len(limits)} rounds. Lost: deliveries the kernel refused the reader's socket. CPU: user and system of all its threads over "
             "the storm. Receive buffers raised to 2 GiB, but where it says otherwise; accounting and timestamps on.\n")
    if any(results[name] and results[name][0].seen_by_kernel for name in names):
        body += "\n\\* keeps no record of its own: sent less lost.\n"
    body += "".join(f"\n{readers.READERS[name].title} is missing: {reason}.\n" for name, reason in failures.items())
    family = "-ipv6" if args.ipv6 else ""
    report.publish(f"storm-{args.flows // 1000}k{family}{'-paced' if args.rate else ''}", f"Event storm: {args.flows:,} flows", body, args.save)
