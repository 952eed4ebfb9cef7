using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>
/// The truth of one key: written by the driver under the model's lock, read by others without. Times are Stopwatch's, in ns.
/// </summary>
internal sealed class SoakEntry(in MapKey key)
{
    public readonly MapKey Key = key;

    private int _version;
    private int _changing; // flows of the key that are being changed

    /// <summary>Flows alive that have this key: while there are any, it must be in the map.</summary>
    public volatile int Live;

    /// <summary>Flows of which only the kernel knows whether they are alive: nothing is asked of the key then.</summary>
    public volatile int Unsure;

    /// <summary>Since when the key has been alive; may be a little early, never late.</summary>
    public long LiveSince;

    /// <summary>Since when it has been in the map without a flow; 0 when it is not, as far as known.</summary>
    public long StaleSince;

    /// <summary>Its flow was deleted with time left: it must stay in the map until then; 0 when not.</summary>
    public long HeldUntil;

    /// <summary>When the delete stage took it, until it is put back.</summary>
    public long TakenAt;

    public void BeginChange()
    {
        Interlocked.Increment(ref _changing);
        Interlocked.Increment(ref _version);
    }

    public void EndChange()
    {
        Interlocked.Increment(ref _version);
        Interlocked.Decrement(ref _changing);
    }

    /// <summary>False while the entry changes.</summary>
    public bool TryObserve(out int version)
    {
        version = Volatile.Read(ref _version);
        return Volatile.Read(ref _changing) == 0;
    }

    /// <summary>What was observed since <see cref="TryObserve"/> is of one state of the entry.</summary>
    public bool IsUnchanged(int version)
    {
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref _version) == version && Volatile.Read(ref _changing) == 0;
    }
}
