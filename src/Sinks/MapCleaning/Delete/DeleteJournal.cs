using System.Threading.Channels;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// The log of what was deleted and restored: a summary now and then, each entry for those who want it (level Debug, an evidence file, a
/// verb). Written by a task of its own: a slow reader of the log, or a full disk, never holds up the loop. What it
/// cannot take is counted and reported.
/// </summary>
/// <param name="onOutcome">Called with each as well, on that task; null for none.</param>
/// <param name="evidence">Keeps each change of the map, on that task; null for none.</param>
internal sealed class DeleteJournal(ILogger logger, Action<MapOutcome>? onOutcome = null, IMapEvidence? evidence = null) : IAsyncDisposable
{
    private const int Capacity = 1 << 16;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private OutcomeCounts _counts = new(); // since the last summary; the loop's
    private Task _writing = Task.CompletedTask;
    private long _dropped;

    /// <summary>A decision, or a summary of many.</summary>
    private readonly record struct Entry(MapDecision Decision, OutcomeCounts? Summary = null);

    public void Start() => _writing = WriteAsync();

    /// <param name="reason">Why it was kept or put back; null for a deletion.</param>
    /// <param name="absentNs">How long the entry was absent.</param>
    /// <param name="at">ns since the Unix epoch.</param>
    /// <param name="zones">Zones in which the kernel was asked.</param>
    public void Write(DeleteOutcome outcome, Tombstone tombstone, string? reason, long absentNs, long at, int zones)
    {
        _counts.Add(outcome, tombstone.Reason);
        if (!IsWanted(outcome))
            return;
        if (!_entries.Writer.TryWrite(new Entry(new MapDecision(outcome, tombstone.ToView(), reason, absentNs, at, zones))))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Has what was counted since the last summary logged; nothing when that is nothing.</summary>
    public void Summarise()
    {
        if (!_counts.IsEmpty && _entries.Writer.TryWrite(new Entry(default, _counts)))
            _counts = new OutcomeCounts();
    }

    /// <summary>Writes what is waiting, and a last summary. Call when the loop has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Summarise();
        _entries.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        while (await _entries.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_entries.Reader.TryRead(out Entry entry))
                Handle(entry);
            evidence?.Flush();
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and long dropped)
                logger.JournalDropped(dropped);
            await Task.Delay(Pace, TimeProvider.System).ConfigureAwait(false); // else each deletion would wake this task
        }
    }

    /// <summary>Else it is only counted.</summary>
    private bool IsWanted(DeleteOutcome outcome) => onOutcome is not null || IsAlwaysLogged(outcome)
        || (evidence is not null && outcome < DeleteOutcome.KeptStarted) || logger.IsEnabled(LogLevel.Debug);

    private static bool IsAlwaysLogged(DeleteOutcome outcome) =>
        outcome is DeleteOutcome.Restored or DeleteOutcome.Healed or DeleteOutcome.RestoreFailed;

    private void Handle(in Entry entry)
    {
        if (entry.Summary is { } summary)
        {
            logger.CleaningSummary(summary.ToString());
            return;
        }

        MapDecision decision = entry.Decision;
        if (evidence is not null && decision.IsChange)
            evidence.Write(decision);
        if (onOutcome is not null || IsAlwaysLogged(decision.Outcome) || logger.IsEnabled(LogLevel.Debug))
            Log(decision);
    }

    private void Log(in MapDecision decision)
    {
        string key = EvidenceText.Describe(decision.Tombstone.Key), words = EvidenceText.Of(decision);
        switch (decision.Outcome)
        {
            case DeleteOutcome.Deleted:
                logger.EntryDeleted(key, words);
                break;
            case DeleteOutcome.WouldDelete:
                logger.EntryWouldBeDeleted(key, words);
                break;
            case DeleteOutcome.Restored:
                logger.EntryRestored(key, decision.Reason!, decision.AbsentNs / 1000.0, words);
                break;
            case DeleteOutcome.Healed:
                logger.EntryHealed(key, decision.Reason!, words);
                break;
            case DeleteOutcome.RestoreFailed:
                logger.RestoreFailed(key, decision.Reason!, words);
                break;
            case DeleteOutcome.KeptHeld:
                logger.EntryHeld(key, decision.Reason!, words);
                break;
            default:
                logger.EntryKept(key, decision.Reason!, words);
                break;
        }

        onOutcome?.Invoke(new MapOutcome(decision.Outcome, decision.Tombstone, words, decision.Reason));
    }
}
