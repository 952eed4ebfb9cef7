namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Notices that a path is not taken by what is moved there: its link is up, but mwan3's pings are lost, say, so that its policies pass it over; or the
/// gateway's own rules do not know of the set, the rule or the program that names the path. So it is counted for each of them apart: one that is
/// wrong does not keep the others' flows off the path. After so many flows in a row that came back on another path, none is moved there for a
/// while, then one, whose outcome decides. Not thread-safe; times in ms, monotonic.
/// </summary>
internal sealed class PathGuard(TimeSpan firstPause, TimeSpan longestPause)
{
    internal const int InARow = 8;

    private readonly Dictionary<(string Path, string? Origin), Record> _records = []; // both are of the configuration, hence few
    private readonly long _firstPause = (long)firstPause.TotalMilliseconds;
    private readonly long _longestPause = (long)longestPause.TotalMilliseconds;

    /// <summary>Whether a flow may be moved there now, and if not, for how long.</summary>
    internal bool MayTake(string path, string? origin, long now, out long pause)
    {
        pause = _records.TryGetValue((path, origin), out Record record) ? Math.Max(0, record.PausedUntil - now) : 0;
        return pause == 0;
    }

    /// <summary>A flow is moved there. After a pause it is the only one until its outcome is known, or the first pause over again.</summary>
    internal void OnAction(string path, string? origin, long now)
    {
        if (_records.TryGetValue((path, origin), out Record record) && record.Looped >= InARow)
            _records[(path, origin)] = record with { PausedUntil = now + _firstPause, IsTrial = true };
    }

    internal void OnMoved(string path, string? origin) => _records.Remove((path, origin));

    /// <summary>A flow came back on another path.</summary>
    internal void OnLooped(string path, string? origin, long now)
    {
        Record record = _records.GetValueOrDefault((path, origin));
        record.Looped++;
        if (record.Looped >= InARow && (record.IsTrial || record.PausedUntil <= now)) // several that were moved at once come back at once
        {
            record.Pause = record.Pause == 0 ? _firstPause : Math.Min(_longestPause, record.Pause * 2);
            record.PausedUntil = now + record.Pause;
            record.IsTrial = false;
        }

        _records[(path, origin)] = record;
    }

    private record struct Record(int Looped, long PausedUntil, long Pause, bool IsTrial);
}
