namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// How long packets are on their way through this machine, from the first event of their entry (the time of its NEW) to its confirmation
/// (its start), as flows have shown of which nothing was lost. After a loss a flow with the same tuples and id that began later than that
/// is another one: a tuple that is used again at once often gets the same id.
/// </summary>
internal sealed class PacketWay
{
    private const long Least = 5_000_000; // ns

    private long _longest = Least;

    /// <summary>How much later than its NEW, in ns, a flow may have begun if events were lost in between.</summary>
    public long AfterLoss => Math.Min(2 * _longest, StartTimes.LongestWay);

    public void Saw(long way) => _longest = Math.Max(_longest, way);
}
