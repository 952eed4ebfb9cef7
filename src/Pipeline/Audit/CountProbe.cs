namespace ConntrackStream.Pipeline.Audit;

/// <summary>
/// Compares the kernel's own count with the view's: one glance a second, or in five while nothing happens, and three glances 100 ms apart
/// when it disagrees. Three disagreements in a row, each larger than what the events in between can explain, ask for an early audit. A
/// difference that an audit does not cure (entries on the kernel's dying list, say) becomes the new normal, and audits asked for here keep
/// a distance of twenty times what the last one took. The losers of clashes are in the kernel's count alone; how many there may be follows
/// from the clashes that it counts and the ends that it tells. Pure: time and counts are given to it.
/// </summary>
internal sealed class CountProbe
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan FollowUp = TimeSpan.FromMilliseconds(100);

    private const int Glances = 3;
    private const int DutyFactor = 20;

    private int _disagreements;
    private int _sign;
    private long _least, _most; // of the difference that the last round left behind
    private ProbeCounts _atRound;
    private long _events;
    private DateTimeOffset _notBefore;

    /// <summary>Times the probe asked for an audit.</summary>
    public long Alarms { get; private set; }

    /// <summary>One glance.</summary>
    /// <returns>When to glance again, and whether an audit is due.</returns>
    public (TimeSpan Next, bool Alarm) Glance(in ProbeCounts now, DateTimeOffset at)
    {
        long unusual = Unusual(now);
        long explained = now.Events - _events; // what came since the last glance may explain as much of a difference
        _events = now.Events;
        if (Math.Abs(unusual) <= explained || (_disagreements > 0 && Math.Sign(unusual) != _sign))
        {
            _disagreements = 0;
            return (explained == 0 ? QuietInterval : Interval, Alarm: false);
        }

        _sign = Math.Sign(unusual);
        if (++_disagreements < Glances)
            return (FollowUp, Alarm: false);
        _disagreements = 0;
        if (at < _notBefore)
            return (Interval, Alarm: false);
        Alarms++;
        return (Interval, Alarm: true);
    }

    /// <summary>Any round has just made the view equal to the kernel: what is left are losers of clashes, or still on its way.</summary>
    public void OnRound(in ProbeCounts now)
    {
        _disagreements = 0;
        _atRound = now;
        (_least, _most) = (0, Math.Clamp(now.Difference, 0, Math.Max(now.Clashes - now.ClashEnds, 0)));
    }

    /// <summary>The round that this probe asked for is done.</summary>
    public void OnOwnRound(in ProbeCounts now, TimeSpan duration, DateTimeOffset at)
    {
        _disagreements = 0;
        _atRound = now;
        _least = _most = now.Difference;
        _notBefore = at + duration * DutyFactor;
    }

    /// <summary>How far the difference is from what the last round left and the clashes since then allow.</summary>
    private long Unusual(in ProbeCounts now)
    {
        long ended = now.ClashEnds - _atRound.ClashEnds;
        long least = _least > 0 ? Math.Max(_least - ended, 0) : _least;
        long most = Math.Max(_most + (now.Clashes - _atRound.Clashes) - ended, least);
        return now.Difference > most ? now.Difference - most : Math.Min(now.Difference - least, 0);
    }
}
