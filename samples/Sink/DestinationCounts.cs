using System.Net;
using ConntrackStream.Pipeline.Changes;
using Microsoft.Extensions.Logging;

namespace SampleSink;

/// <summary>Counts new flows by destination, and logs the busiest at intervals.</summary>
public sealed class DestinationCounts(DestinationOptions options, ILogger logger, TimeProvider time) : IFlowSink
{
    private const int MaxDestinations = 100_000; // remote hosts choose them: bounded
    private readonly Dictionary<IPAddress, long> _counts = [];
    private long _begun = time.GetTimestamp();

    /// <summary>For a service that names this class itself in Plugins:Sinks: the options' defaults.</summary>
    public DestinationCounts(ILogger logger, TimeProvider time)
        : this(new DestinationOptions(), logger, time)
    {
    }

    public string Name => "destination-report";

    /// <summary>How many there are since the last report.</summary>
    public int Destinations => _counts.Count;

    public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            if (change.Kind != FlowChangeKind.Started)
                continue;
            IPAddress destination = change.Flow.Original.Destination.ToIPAddress(change.Flow.Original.Family);
            if (_counts.Count < MaxDestinations || _counts.ContainsKey(destination))
                _counts[destination] = _counts.GetValueOrDefault(destination) + 1;
        }

        if (time.GetElapsedTime(_begun) >= options.Interval)
            Report();
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Report();
        return ValueTask.CompletedTask;
    }

    private void Report()
    {
        string busiest = string.Join(
            ", ", _counts.OrderByDescending(count => count.Value).Take(options.Top).Select(count => $"{count.Key} {count.Value}"));
        Message(logger, busiest, null);
        _counts.Clear();
        _begun = time.GetTimestamp();
    }

    private static readonly Action<ILogger, string, Exception?> Message =
        LoggerMessage.Define<string>(LogLevel.Information, new EventId(1, "Busiest"), "New flows by destination: {Busiest}");
}
