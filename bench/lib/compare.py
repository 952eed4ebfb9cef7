"""All readers over the same storm, one after the other, round by round: a reader's ratios are to the limit and the crude C of its round."""

import statistics

from . import measure, namespace, process, readers, report, table


def run(args):
    return _compare(args, measure.WARM_UP, "storm", "Event storm")


def first(args):
    return _compare(args, 0, "first", "First storm of a fresh process")


def storm_options(args):
    return [option for option, chosen in (("--ipv6", args.ipv6), ("--tcp", args.tcp)) if chosen]


def kind(args):
    return f"{'IPv6' if args.ipv6 else 'IPv4'} {'TCP' if args.tcp else 'UDP'}"


def suffix(args):
    return f"{'-ipv6' if args.ipv6 else ''}{'-tcp' if args.tcp else ''}"


def ratio(results, yardstick):
    """Median of the rounds' ratios of CPU an event, to two digits; a dash where one of the two was not measured."""
    if not results or not yardstick:
        return "–"
    return f"{statistics.median(result.cpu_per_event / other.cpu_per_event for result, other in zip(results, yardstick)):.2f}"


def _compare(args, warm_up, name, title):
    names = readers.with_yardsticks(args.readers)
    results, failures = {name: [] for name in names}, {}
    with namespace.created() as space:
        for number in range(1, args.rounds + 1):
            for reader in (readers.READERS[name] for name in names if name not in failures):
                _one(space, number, reader, args, warm_up, results, failures)
    _publish(args, warm_up, (name, title), results, failures)
    return 1 if failures else 0


def _one(space, number, reader, args, warm_up, results, failures):
    try:
        with table.raised(args.flows + args.flows // 4 + 10_000):  # held no longer than it must: the kernel tests wait for it
            rate = ["--rate", args.rate] if getattr(args, "rate", 0) else []
            result = measure.over_storm(space, reader, args.flows, [*storm_options(args), *rate], warm_up)
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


def _row(reader, results):
    own = results[reader.name]
    if not own:
        return (reader.title, *["–"] * 8)
    costs = [result.cpu_per_event * 1e6 for result in own]
    return (reader.title, f"{_median(own, lambda r: r.seen):,.0f}{'*' if own[0].seen_by_kernel else ''}",
            f"{_median(own, lambda r: r.lost):,.0f}", f"{statistics.median(costs):.2f}", f"{min(costs):.2f} to {max(costs):.2f}",
            ratio(own, results["limit"]), ratio(own, results.get(reader.crude)), f"{_median(own, lambda r: r.start_cpu) * 1000:.0f}",
            f"{_median(own, lambda r: r.peak_memory) / 2**20:.0f}")


def _publish(args, warm_up, name_and_title, results, failures):
    name, title = name_and_title
    limits = results["limit"]
    if not limits:
        raise SystemExit(f"the limit could not be measured: {failures['limit']}")
    header = ("reader", f"events seen of {limits[0].sent:,}", "lost", "CPU µs an event", "least to most", "of the limit", "of crude C",
              "start CPU ms", "peak MiB")
    body = report.table(header, [_row(readers.READERS[reader], results) for reader in results])
    paced = " (paced)" if getattr(args, "rate", 0) else ""
    rate = _median(limits, lambda r: r.new_rate) / 1000
    body += f"\n{args.flows:,} {kind(args)} flows made at {rate:.0f}k/s{paced}, then flushed at once; "
    body += (f"before them, for every reader, {warm_up:,} to warm up, which are in events seen and lost but not in CPU. " if warm_up
             else "no event before them. ")
    body += (f"Medians of {len(limits)} rounds. Lost: deliveries the kernel refused the reader's socket. CPU: user and system of all its "
             "threads over the storm. Of crude C: to the C program of the same duties (`c/flowlog.c`). Receive buffers raised to 2 GiB, "
             "but where it says otherwise; accounting and timestamps on.\n")
    if any(rows and rows[0].seen_by_kernel for rows in results.values()):
        body += "\n\\* keeps no record of its own: sent less lost.\n"
    body += "".join(f"\n{readers.READERS[reader].title} is missing: {reason}.\n" for reader, reason in failures.items())
    report.publish(f"{name}-{args.flows // 1000}k{suffix(args)}{'-paced' if paced else ''}", f"{title}: {args.flows:,} flows", body,
                   args.save)
