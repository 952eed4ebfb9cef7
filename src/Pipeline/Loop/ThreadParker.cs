using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// Where one thread sleeps until others have something for it: a futex(2) call to sleep, one to wake it, and none while it is awake.
/// A wake-up that comes while it is awake is kept, so that it checks once more before it sleeps.
/// </summary>
internal sealed class ThreadParker
{
    private const int Empty = 0;
    private const int Notified = 1;
    private const int Parked = -1;

    private readonly int[] _state = GC.AllocateArray<int>(1, pinned: true);

    /// <summary>
    /// Sleeps until <see cref="Unpark"/> is called; returns at once if it was since the last call. For one thread only.
    /// </summary>
    public void Park()
    {
        if (Interlocked.Decrement(ref _state[0]) == Empty)
            return;
        do
            Libc.FutexWait(in _state[0], Parked);
        while (Interlocked.CompareExchange(ref _state[0], Empty, Notified) != Notified);
    }

    /// <summary>
    /// Sleeps until <see cref="Unpark"/> is called, but no longer than <paramref name="most"/>; may end for no reason.
    /// </summary>
    public void Park(TimeSpan most)
    {
        if (Interlocked.Decrement(ref _state[0]) == Empty)
            return;
        Libc.FutexWait(in _state[0], Parked, most);
        Interlocked.Exchange(ref _state[0], Empty);
    }

    /// <summary>Wakes the thread, or keeps it from its next sleep. From any thread.</summary>
    public void Unpark()
    {
        if (Interlocked.Exchange(ref _state[0], Notified) == Parked)
            Libc.FutexWake(in _state[0]);
    }
}
