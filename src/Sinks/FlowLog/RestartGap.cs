using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The gap between the last record of the run before this one and the first event that this run sees.</summary>
internal static class RestartGap
{
    // The kernel takes an event's time before it queues the event, so two processors may queue theirs in the other order: up to 0.1 ms
    // apart when measured, longer where one is preempted in between. An event that was not read may thus be older than the latest that was.
    private static readonly long Disorder = (long)TimeSpan.FromMilliseconds(100).TotalNanoseconds;

    // for the event socket, before a restart gap is written all the same
    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(10);

    /// <summary>Waits until events are seen, ten seconds at most.</summary>
    /// <param name="whenOpened">Since when every event is seen; null: from now on.</param>
    /// <returns>Where the gap ends, ns since the Unix epoch.</returns>
    internal static async Task<long> EndAsync(
        Func<Task<long>>? whenOpened, TimeProvider time, CancellationToken cancellationToken)
    {
        if (whenOpened is null)
            return time.UnixNanoseconds();
        Task<long> opened = whenOpened();
        await Task.WhenAny(opened, Task.Delay(OpenPatience, time, cancellationToken)).ConfigureAwait(false);
        return opened.IsCompletedSuccessfully ? await opened.ConfigureAwait(false) : time.UnixNanoseconds();
    }

    /// <summary>Where a gap begins, ns since the Unix epoch, if this is the time of the latest record before it.</summary>
    internal static long Begin(long lastRecord) => lastRecord - Disorder;

    /// <summary>If the clock was set back meanwhile, times from now to the last record pass twice, and the gap has these.</summary>
    /// <param name="from">When the run before last wrote, ns since the Unix epoch.</param>
    /// <param name="to">Likewise: as <see cref="EndAsync"/> gives it.</param>
    internal static FlowChange Between(long from, long to) => new()
    {
        Kind = FlowChangeKind.Gap,
        Time = to,
        Gap = new FlowGap(FlowGapReason.Restart, Math.Min(Begin(from), to), Math.Max(from, to), Lost: null, Recovered: null),
    };
}
