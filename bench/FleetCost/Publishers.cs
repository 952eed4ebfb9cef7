using System.Diagnostics;
using System.Globalization;
using ConntrackStream.MapCost;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.FleetCost;

/// <summary>
/// Many nodes in one process: each has a sink of its own with a connection, a spool and a run of its own. All are fed at one rate.
/// </summary>
internal sealed class Publishers(string directory, int hosts, int recordsASecond, string server)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly FedSink[] _nodes =
        [.. Enumerable.Range(1, hosts).Select(number => FedSink.Nats(directory, server, string.Create(
            CultureInfo.InvariantCulture, $"node-{number:d3}.example.net")))];

    internal async Task RunAsync(TimeSpan duration)
    {
        foreach (FedSink node in _nodes)
            await node.Sink.StartAsync(CancellationToken.None).ConfigureAwait(false);
        Cost cost = new();
        long written = await FeedAsync(duration).ConfigureAwait(false);
        long began = Stopwatch.GetTimestamp();
        while (written > Sum(static node => node.Sent() + node.Lost()))
            await Task.Delay(Step, TimeProvider.System).ConfigureAwait(false);
        string time = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            "wall_ms":{{cost.WallMs}},"drain_ms":{{Stopwatch.GetElapsedTime(began).TotalMilliseconds}},"cpu_ms":{{cost.CpuMs}}
            """);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"records":{{Sum(static node => node.Sent())}},"lost":{{Sum(static node => node.Lost())}},{{time}},"peak_kib":{{Cost.PeakMemory()}}}
            """));
        foreach (FedSink node in _nodes)
            await node.Sink.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<long> FeedAsync(TimeSpan duration)
    {
        int perStep = Math.Clamp((int)(recordsASecond * Step.TotalSeconds), 1, FlowChangeBatch.Capacity);
        FlowChangeBatch[] batches = [.. Enumerable.Range(0, 16).Select(number => MadeChanges.Make(number, perStep))];
        long written = 0, began = Stopwatch.GetTimestamp();
        for (int step = 0; Stopwatch.GetElapsedTime(began) < duration; step++)
        {
            foreach (FedSink node in _nodes)
            {
                await node.Sink.WriteAsync(batches[step % batches.Length], CancellationToken.None).ConfigureAwait(false);
                await node.Sink.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                written += perStep;
            }

            TimeSpan next = (step + 1) * Step - Stopwatch.GetElapsedTime(began);
            if (next > TimeSpan.Zero)
                await Task.Delay(next, TimeProvider.System).ConfigureAwait(false);
        }

        return written;
    }

    private long Sum(Func<FedSink, long> figure) => _nodes.Sum(figure);
}
