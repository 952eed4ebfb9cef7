namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>Tuples whose flow ended not long ago, by time: the older ones are overwritten.</summary>
internal sealed class RecentEnds
{
    private const int Room = 1 << 16;

    private readonly (SoakFlow Flow, long At)[] _ends = new (SoakFlow, long)[Room];
    private long _count;

    public void Add(SoakFlow flow, long at) => _ends[_count++ % Room] = (flow, at);

    /// <summary>The free tuple that ended last before a time; null when those around it are in use.</summary>
    public SoakFlow? Before(long time)
    {
        long low = Math.Max(0, _count - Room), high = _count;
        while (low < high)
        {
            long middle = (low + high) / 2;
            if (_ends[middle % Room].At <= time)
                low = middle + 1;
            else
                high = middle;
        }

        long oldest = Math.Max(Math.Max(0, _count - Room), low - 16);
        for (long i = low - 1; i >= oldest; i--)
        {
            if (_ends[i % Room].Flow is { State: SoakState.Free } flow)
                return flow;
        }

        return null;
    }
}
