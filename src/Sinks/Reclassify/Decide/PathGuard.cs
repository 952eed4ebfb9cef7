namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Notices that a path is not taken by what is moved there: its link is up, but mwan3's pings are lost, say, so that its policies pass it
/// over; or the gateway's own rules do not know of the set, the rule or the program that names the path. So it is counted for each of them
/// apart: one that is wrong does not keep the others' flows off the path. After so many flows in a row that came back on another path, or
/// not at all, none is moved there for a while, then one, whose outcome decides. And before anything is known, few are moved at once: as
/// many as have been seen to arrive, and four. Not thread-safe; times in ms, monotonic.
/// </summary>
internal sealed class PathGuard(TimeSpan firstPause, TimeSpan longestPause)
{
    internal const int InARow = 8;

    /// <summary>
    /// Moves at first whose outcome is not known yet; each that arrives allows one more, so that they double with each round.
    /// </summary>
    internal const int FirstMoves = 4;

    private const int MostMoves = 4096; // more than are ever open: those that wait for their outcome are settled within minutes

    private readonly Dictionary<(string Path, string? Origin), Record> _records = []; // both are of the configuration, hence few
    private readonly long _firstPause = (long)firstPause.TotalMilliseconds;
    private readonly long _longestPause = (long)longestPause.TotalMilliseconds;

    /// <summary>Moves whose outcome others wait for.</summary>
    internal int Awaited { get; private set; }

    /// <summary>Whether a flow may be moved there now, and if not, for how long.</summary>
    internal bool MayTake(string path, string? origin, long now, out long pause)
    {
        pause = _records.TryGetValue((path, origin), out Record? record) ? Math.Max(0, record.PausedUntil - now) : 0;
        return pause == 0;
    }

    /// <summary>Whether one more may be moved there before the outcome of others is known.</summary>
    /// <param name="awaited">Those others.</param>
    internal bool MayBegin(string path, string? origin, out int awaited)
    {
        awaited = 0;
        if (!_records.TryGetValue((path, origin), out Record? record))
            return true;
        awaited = record.Awaited;
        return awaited < record.Limit;
    }

    /// <summary>
    /// A flow is moved there. After a pause it is the only one until its outcome is known, or the first pause over again.
    /// </summary>
    internal void OnAction(string path, string? origin, long now)
    {
        Record record = Of(path, origin);
        if (record.Failed >= InARow)
        {
            record.PausedUntil = now + _firstPause;
            record.IsTrial = true;
        }

        Await(path, origin);
    }

    /// <summary>The outcome of a move matters again to others.</summary>
    internal void Await(string path, string? origin)
    {
        Of(path, origin).Awaited++;
        Awaited++;
    }

    /// <summary>The outcome of a move is known, or not waited for any longer.</summary>
    internal void Release(string path, string? origin)
    {
        Of(path, origin).Awaited--;
        Awaited--;
    }

    internal void OnMoved(string path, string? origin)
    {
        Record record = Of(path, origin);
        record.Limit = Math.Min(MostMoves, record.Limit + 1);
        (record.Failed, record.PausedUntil, record.Pause, record.IsTrial) = (0, 0, 0, false);
    }

    /// <summary>A flow came back on another path, or hangs.</summary>
    internal void OnFailed(string path, string? origin, long now)
    {
        Record record = Of(path, origin);
        record.Failed++;
        record.Limit = FirstMoves;
        if (record.Failed >= InARow && (record.IsTrial || record.PausedUntil <= now)) // several that were moved at once come back at once
        {
            record.Pause = record.Pause == 0 ? _firstPause : Math.Min(_longestPause, record.Pause * 2);
            record.PausedUntil = now + record.Pause;
            record.IsTrial = false;
        }
    }

    private Record Of(string path, string? origin)
    {
        if (!_records.TryGetValue((path, origin), out Record? record))
            _records[(path, origin)] = record = new Record();
        return record;
    }

    private sealed class Record
    {
        internal int Failed, Awaited, Limit = FirstMoves;
        internal long PausedUntil, Pause;
        internal bool IsTrial;
    }
}
