namespace ConntrackStream.EventTap;

/// <summary>
/// How long the reader rests after a receive so that the next one finds some thirty events: by the rate at which they came lately, and
/// never longer than asked for. Used by the reader only.
/// </summary>
internal sealed class GatherPace(TimeSpan longest, long now)
{
    private const int Wanted = 32; // events: most of what a receive and the hand-over cost is spread by then

    private readonly double _longest = longest.TotalMilliseconds;
    private double _rate; // events a millisecond, smoothed
    private long _last = now;

    /// <param name="count">Events that this receive brought.</param>
    /// <param name="now">Its time, ns.</param>
    /// <returns>Milliseconds; 0 when there is nothing to wait for but the next event.</returns>
    internal int RestAfter(int count, long now)
    {
        double elapsed = Math.Max(now - _last, 1) / 1e6;
        _last = now;
        _rate = (_rate + (count / elapsed)) / 2;
        double rest = Math.Min(Wanted / _rate, _longest);
        return rest * _rate < 1 ? 0 : Math.Max((int)rest, 1); // too few would come meanwhile to be worth a wake-up that finds none
    }
}
