using System.Globalization;
using ConntrackStream.MapCost;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.FleetCost;

/// <summary>Feeds a sink as fast as it takes records, and prints what that took.</summary>
internal sealed class SinkRun(FedSink fed)
{
    private const int WarmUp = 300_000; // records, not measured

    private readonly MadeChanges _changes = new();
    private long _written;

    internal async Task RunAsync(int records)
    {
        await fed.Sink.StartAsync(CancellationToken.None).ConfigureAwait(false);
        await FeedAsync(WarmUp).ConfigureAwait(false);
        long before = fed.Sent();
        Cost cost = new();
        await FeedAsync(records).ConfigureAwait(false);
        string cpuAndTime = string.Create(
            CultureInfo.InvariantCulture, $"\"wall_ms\":{cost.WallMs},\"cpu_ms\":{cost.CpuMs}");
        string counts = string.Create(
            CultureInfo.InvariantCulture, $"\"all\":{fed.Sent()},\"lost\":{fed.Lost()},\"messages\":{fed.Messages()}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"records":{{fed.Sent() - before}},{{counts}},{{cpuAndTime}}}"""));
        await fed.Sink.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Until all have left.</summary>
    private async Task FeedAsync(int records)
    {
        for (int done = 0; done < records; done += FlowChangeBatch.Capacity)
        {
            await WaitAsync(fed.MostWaiting).ConfigureAwait(false);
            FlowChangeBatch batch = _changes.Next();
            await fed.Sink.WriteAsync(batch, CancellationToken.None).ConfigureAwait(false);
            _written += batch.Count;
        }

        await fed.Sink.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await WaitAsync(0).ConfigureAwait(false);
    }

    private async ValueTask WaitAsync(long most)
    {
        while (_written - fed.Sent() - fed.Lost() > most)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System).ConfigureAwait(false);
    }
}
