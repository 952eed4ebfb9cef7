namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Notices that a path is not taken whatever is moved there: its link is up, but mwan3's pings are lost, say, so that its policies pass it over. After
/// so many flows in a row that came back on another path, none is moved there for a while, then one, whose outcome decides. Not thread-safe; times
/// in ms, monotonic.
/// </summary>
internal sealed class PathGuard(TimeSpan firstPause, TimeSpan longestPause)
{
    internal const int InARow = 8;

    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal); // paths are few
    private readonly long _firstPause = (long)firstPause.TotalMilliseconds;
    private readonly long _longestPause = (long)longestPause.TotalMilliseconds;

    /// <summary>Whether a flow may be moved there now, and if not, for how long.</summary>
    internal bool MayTake(string path, long now, out long pause)
    {
        pause = _records.TryGetValue(path, out Record record) ? Math.Max(0, record.PausedUntil - now) : 0;
        return pause == 0;
    }

    /// <summary>A flow is moved there. After a pause it is the only one until its outcome is known, or the first pause over again.</summary>
    internal void OnAction(string path, long now)
    {
        if (_records.TryGetValue(path, out Record record) && record.Looped >= InARow)
            _records[path] = record with { PausedUntil = now + _firstPause, IsTrial = true };
    }

    internal void OnMoved(string path) => _records.Remove(path);

    /// <summary>A flow came back on another path.</summary>
    internal void OnLooped(string path, long now)
    {
        Record record = _records.GetValueOrDefault(path);
        record.Looped++;
        if (record.Looped >= InARow && (record.IsTrial || record.PausedUntil <= now)) // several that were moved at once come back at once
        {
            record.Pause = record.Pause == 0 ? _firstPause : Math.Min(_longestPause, record.Pause * 2);
            record.PausedUntil = now + record.Pause;
            record.IsTrial = false;
        }

        _records[path] = record;
    }

    private record struct Record(int Looped, long PausedUntil, long Pause, bool IsTrial);
}
