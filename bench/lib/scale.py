"""The same events beside more and more live flows: what a reader's memory accesses cost."""

from . import compare, measure, namespace, process, readers, report, table


def run(args):
    rows = []
    for name in readers.with_yardsticks(args.readers)[1:]:
        reader, costs = readers.READERS[name], []
        for live in args.live:
            with namespace.created() as space:
                costs.append(_one(space, reader, live, args))
            print(f"{reader.title}, {live:,}: {costs[-1][0]:.2f} µs a NEW, {costs[-1][1]:.2f} µs a DESTROY, lost {costs[-1][2]}",
                  flush=True)
        for kind, index in (("NEW", 0), ("DESTROY", 1)):
            values = [cost[index] for cost in costs]
            rows.append((f"{reader.title}, {kind}", *(f"{value:.2f}" for value in values), f"{values[-1] / values[0]:.2f}",
                         sum(cost[2] for cost in costs)))
    body = report.table(("reader", *(f"beside {live:,}" for live in args.live), "last ÷ first", "lost"), rows)
    body += (f"\nCPU µs an event. With so many flows alive, {args.flows:,} more begin, and are measured; then all of them end by a flush, "
             "which is the DESTROY's figure.\n")
    report.publish(f"scale{compare.suffix(args)}", "Cost by number of live flows", body, args.save)
    return 0


def _one(space, reader, live, args):
    options = compare.storm_options(args)
    with table.raised(live + args.flows + measure.WARM_UP + 10_000), measure.scratch(reader.name) as directory, \
            measure.running(space, reader, directory) as program:
        measure.storm(space, measure.WARM_UP, "--flush")
        held = measure.storm(space, live, *options)
        program.wait_quiet()
        before, lost = program.cpu_seconds(), program.event_socket()[1]
        made = measure.storm(space, args.flows, "--skip", live, *options)
        program.wait_quiet()
        created = program.cpu_seconds()
        space.flush()
        program.wait_quiet()
        ended, lost = program.cpu_seconds(), program.event_socket()[1] - lost
        if program.stop() != 0:
            raise process.ReaderFailed("it did not end well")
    return (created - before) * 1e6 / made["new"], (ended - created) * 1e6 / (made["new"] + held["new"]), lost
