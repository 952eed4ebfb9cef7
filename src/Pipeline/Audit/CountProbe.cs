namespace ConntrackStream.Pipeline.Audit;

/// <summary>
/// Compares the kernel's own count with the view's: one glance a second, and three glances 100 ms apart when it disagrees. Three
/// disagreements in a row, each larger than what the events in between can explain, ask for an early audit. A difference that an audit
/// does not cure (entries on the kernel's dying list, say) becomes the new normal, and audits asked for here keep a distance of
/// twenty times what the last one took. Pure: time and counts are given to it.
/// </summary>
internal sealed class CountProbe
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan FollowUp = TimeSpan.FromMilliseconds(100);

    private const int Glances = 3;
    private const int DutyFactor = 20;

    private int _disagreements;
    private int _sign;
    private long _normal; // kernel count minus view count that the last round left behind
    private long _events;
    private DateTimeOffset _notBefore;

    /// <summary>Times the probe asked for an audit.</summary>
    public long Alarms { get; private set; }

    /// <summary>One glance.</summary>
    /// <param name="events">Events applied since the start; what came since the last glance may explain as much of a difference.</param>
    /// <returns>When to glance again, and whether an audit is due.</returns>
    public (TimeSpan Next, bool Alarm) Glance(long kernel, long view, long events, DateTimeOffset now)
    {
        long difference = kernel - view - _normal;
        long explained = events - _events;
        _events = events;
        if (Math.Abs(difference) <= explained || (_disagreements > 0 && Math.Sign(difference) != _sign))
        {
            _disagreements = 0;
            return (Interval, Alarm: false);
        }

        _sign = Math.Sign(difference);
        if (++_disagreements < Glances)
            return (FollowUp, Alarm: false);
        _disagreements = 0;
        if (now < _notBefore)
            return (Interval, Alarm: false);
        Alarms++;
        return (Interval, Alarm: true);
    }

    /// <summary>Any round has just made the view equal to the kernel.</summary>
    public void OnRound() => (_disagreements, _normal) = (0, 0);

    /// <summary>The round that this probe asked for is done.</summary>
    /// <param name="difference">Kernel count minus view count right after it.</param>
    public void OnOwnRound(long difference, TimeSpan duration, DateTimeOffset now)
    {
        _disagreements = 0;
        _normal = difference;
        _notBefore = now + duration * DutyFactor;
    }
}
