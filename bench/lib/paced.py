"""A steady stream of new flows: what a reader costs when it is woken for a few events at a time."""

import statistics

from . import compare, measure, namespace, process, readers, report, table


class Result:
    def __init__(self, cpu, events, lost):
        self.cpu_per_event, self.lost = cpu / events, lost


def run(args):
    names = readers.with_yardsticks(args.readers)
    results = {(name, rate): [] for name in names for rate in args.rates}
    with namespace.created() as space:
        for number in range(1, args.rounds + 1):
            for rate in args.rates:
                for name in names:
                    results[name, rate].append(_one(space, readers.READERS[name], rate, args))
                    print(f"round {number}, {rate:,}/s: {readers.READERS[name].title}: "
                          f"{results[name, rate][-1].cpu_per_event * 1e6:.2f} µs an event", flush=True)
    _publish(args, names, results)
    return 0


def _one(space, reader, rate, args):
    flows = rate * args.seconds
    with table.raised(flows + measure.WARM_UP + 10_000), measure.scratch(reader.name) as directory, \
            measure.running(space, reader, directory) as program:
        measure.storm(space, measure.WARM_UP, "--flush")
        program.wait_quiet()
        cpu, lost = program.cpu_seconds(), program.event_socket()[1]
        made = measure.storm(space, flows, "--rate", rate, *compare.storm_options(args))
        program.wait_quiet()
        result = Result(program.cpu_seconds() - cpu, made["new"], program.event_socket()[1] - lost)
        space.flush()
        program.wait_quiet()
        if program.stop() != 0:
            raise process.ReaderFailed("it did not end well")
    return result


def _publish(args, names, results):
    header = ["reader", *(f"{rate:,}/s: µs an event" for rate in args.rates), *(f"{rate:,}/s: of the limit" for rate in args.rates),
              *(f"{rate:,}/s: of crude C" for rate in args.rates), "lost"]
    rows = []
    for name in names:
        reader = readers.READERS[name]
        costs = [statistics.median(result.cpu_per_event * 1e6 for result in results[name, rate]) for rate in args.rates]
        rows.append((reader.title, *(f"{cost:.2f}" for cost in costs),
                     *(compare.ratio(results[name, rate], results["limit", rate]) for rate in args.rates),
                     *(compare.ratio(results[name, rate], results.get((reader.crude, rate))) for rate in args.rates),
                     sum(result.lost for rate in args.rates for result in results[name, rate])))
    body = report.table(header, rows)
    body += (f"\nNew {compare.kind(args)} flows at each rate for {args.seconds} s, in bursts of a millisecond's worth; medians of "
             f"{args.rounds} rounds. Before them {measure.WARM_UP:,} flows to warm up, not in the figures. CPU: user and system of all "
             "threads while the flows were made.\n")
    report.publish(f"paced{compare.suffix(args)}", "Steady streams of new flows", body, args.save)
