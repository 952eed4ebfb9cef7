using System.Runtime.InteropServices;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.Destinations;

/// <summary>
/// Counts flows by their destination as clients see it, before any translation. At each interval, and at the end, it replaces its file: one
/// JSON object a destination, the busiest first.
/// </summary>
internal sealed class DestinationSink(TimeSpan interval, StateDirectory state, TimeProvider time, ILogger logger) : IFlowSink
{
    internal const string FileName = "destinations.ndjson";

    private const int MaxDestinations = 65_536; // remote hosts choose them: bounded

    private readonly Lock _gate = new(); // the counts: the sink's task, and the timer's
    private Dictionary<(FlowFamily Family, IpAddress Address), (long Started, long Ended, ulong Bytes)> _counts = [];
    private ITimer? _timer;
    private bool _hasFailed;
    private long _uncounted;

    public string Name => "destinations";

    /// <summary>New flows to destinations for which there was no room.</summary>
    internal long Uncounted => Interlocked.Read(ref _uncounted);

    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static self => ((DestinationSink)self!).Write(), this, interval, interval);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                if (change.Kind is FlowChangeKind.Started or FlowChangeKind.Ended)
                    Count(change);
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_timer is null)
            return;
        await _timer.DisposeAsync().ConfigureAwait(false);
        Write();
    }

    private void Count(in FlowChange change)
    {
        FlowTuple original = change.Flow.Original;
        bool isStart = change.Kind == FlowChangeKind.Started;
        if (_counts.Count >= MaxDestinations && !_counts.ContainsKey((original.Family, original.Destination)))
        {
            if (isStart)
                Interlocked.Increment(ref _uncounted);
            return;
        }

        ref (long Started, long Ended, ulong Bytes) sum =
            ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, (original.Family, original.Destination), out _);
        if (isStart)
        {
            sum.Started++;
            return;
        }

        sum.Ended++;
        sum.Bytes += change.Flow.OriginalBytes + change.Flow.ReplyBytes;
    }

    private void Write()
    {
        Dictionary<(FlowFamily Family, IpAddress Address), (long Started, long Ended, ulong Bytes)> counts;
        lock (_gate)
            (counts, _counts) = (_counts, []);
        using MemoryStream lines = new();
        using Utf8JsonWriter json = new(lines);
        foreach (((FlowFamily family, IpAddress address), (long started, long ended, ulong bytes)) in
            counts.OrderByDescending(static count => count.Value.Started).ThenByDescending(static count => count.Value.Bytes))
        {
            json.WriteStartObject();
            json.WriteString("dst", address.ToIPAddress(family).ToString());
            json.WriteNumber("started", started);
            json.WriteNumber("ended", ended);
            json.WriteNumber("bytes", bytes);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            lines.WriteByte((byte)'\n');
        }

        try
        {
            state.Write(FileName, lines.GetBuffer().AsSpan(0, (int)lines.Length));
            _hasFailed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_hasFailed)
                logger.DestinationsNotWritten(state.PathOf(FileName), e.Message);
            _hasFailed = true;
        }
    }
}
