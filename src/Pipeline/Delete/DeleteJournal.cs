using System.Globalization;
using System.Threading.Channels;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Delete;

/// <summary>
/// The log of what was deleted and restored, each with its evidence. Written by a task of its own: a slow reader of the log never holds up
/// the loop. What it cannot take is counted, and told.
/// </summary>
/// <param name="onOutcome">Told of each as well, on that task; null when nobody asks.</param>
internal sealed class DeleteJournal(ILogger logger, Action<MapOutcome>? onOutcome = null) : IAsyncDisposable
{
    private const int Capacity = 1 << 16;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private Task _writing = Task.CompletedTask;
    private long _dropped;

    private readonly record struct Entry(DeleteOutcome Outcome, TombstoneView Tombstone, string? Reason, long AbsentNs, long At, int Zones);

    /// <summary>Somebody wants to know what was kept, too.</summary>
    public bool TellsKept => onOutcome is not null || logger.IsEnabled(LogLevel.Debug);

    public void Start() => _writing = WriteAsync();

    /// <param name="reason">Why it was put back; null for a deletion.</param>
    /// <param name="absentNs">How long the entry was absent.</param>
    /// <param name="at">ns since the Unix epoch.</param>
    /// <param name="zones">Zones in which the kernel was asked.</param>
    public void Write(DeleteOutcome outcome, Tombstone tombstone, string? reason, long absentNs, long at, int zones)
    {
        if (!_entries.Writer.TryWrite(new Entry(outcome, tombstone.ToView(), reason, absentNs, at, zones)))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what is waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        while (await _entries.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_entries.Reader.TryRead(out Entry entry))
                Log(entry);
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and long dropped)
                logger.JournalDropped(dropped);
            await Task.Delay(Pace, TimeProvider.System).ConfigureAwait(false); // else each deletion would wake this task
        }
    }

    private void Log(in Entry entry)
    {
        string key = Describe(entry.Tombstone.Key), evidence = Evidence(entry);
        switch (entry.Outcome)
        {
            case DeleteOutcome.Deleted:
                logger.EntryDeleted(key, evidence);
                break;
            case DeleteOutcome.WouldDelete:
                logger.EntryWouldBeDeleted(key, evidence);
                break;
            case DeleteOutcome.Restored:
                logger.EntryRestored(key, entry.Reason!, entry.AbsentNs / 1000.0, evidence);
                break;
            case DeleteOutcome.Healed:
                logger.EntryHealed(key, entry.Reason!, evidence);
                break;
            case DeleteOutcome.RestoreFailed:
                logger.RestoreFailed(key, entry.Reason!, evidence);
                break;
            case DeleteOutcome.KeptHeld:
                logger.EntryHeld(key, entry.Reason!, evidence);
                break;
            default:
                logger.EntryKept(key, entry.Reason!, evidence);
                break;
        }

        onOutcome?.Invoke(new MapOutcome(entry.Outcome, entry.Tombstone, evidence, entry.Reason));
    }

    internal static string Describe(in MapKey key)
    {
        string tuple = MapKeys.IsShared(key.Tuple.Protocol) ? TupleText.DescribeAddresses(key.Tuple) : TupleText.Describe(key.Tuple);
        string link = key.InterfaceIndex == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ifindex={key.InterfaceIndex}");
        return $"{tuple} owner={key.Owner.ToIPAddress(key.Tuple.Family)}{link}";
    }

    /// <summary>Why it was nominated, and for what was deleted also what proved it.</summary>
    private static string Evidence(in Entry entry)
    {
        TombstoneView tombstone = entry.Tombstone;
        double ago = (entry.At - tombstone.Since) / 1e9;
        string nomination = tombstone.Reason == TombstoneReason.Ended
            ? string.Create(CultureInfo.InvariantCulture, $"its flow {tombstone.FlowId} (conntrack id {tombstone.ConntrackId}) ended {ago:F1} s ago")
            : string.Create(CultureInfo.InvariantCulture, $"{tombstone.Misses} audits in a row found no flow, the first {ago:F1} s ago");
        if (entry.Outcome >= DeleteOutcome.KeptStarted)
            return nomination;
        return MapKeys.IsShared(tombstone.Key.Tuple.Protocol)
            ? $"{nomination}; none in the view after a fresh dump"
            : string.Create(CultureInfo.InvariantCulture, $"{nomination}; none in the view, and the kernel knows none in {entry.Zones} {(entry.Zones == 1 ? "zone" : "zones")}");
    }
}
