namespace ConntrackStream.Service.Api.Streams;

/// <summary>How many streams without an end there may be at one time.</summary>
internal sealed class StreamPlaces(int most)
{
    private int _taken;

    internal bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= most)
            return true;
        Interlocked.Decrement(ref _taken);
        return false;
    }

    internal void Free() => Interlocked.Decrement(ref _taken);
}
