namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>Of all workers of one collector, from any thread.</summary>
internal sealed class CollectCounters
{
    private long _records, _messages, _bytes, _copies, _early, _missing, _malformed;

    /// <summary>Records that are on disk.</summary>
    internal long Records => Volatile.Read(ref _records);

    /// <summary>Messages that they came in.</summary>
    internal long Messages => Volatile.Read(ref _messages);

    internal long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Messages that came more than once, and were written once.</summary>
    internal long Copies => Volatile.Read(ref _copies);

    /// <summary>Messages that came before one that precedes them.</summary>
    internal long Early => Volatile.Read(ref _early);

    /// <summary>Records that are not in the stream; gaps stand for them.</summary>
    internal long Missing => Volatile.Read(ref _missing);

    /// <summary>Messages that no node of ours has sent so.</summary>
    internal long Malformed => Volatile.Read(ref _malformed);

    /// <summary>Messages that need not be read again.</summary>
    internal long Read => Messages + Copies + Malformed;

    internal void AddWritten(long records, int bytes)
    {
        Interlocked.Add(ref _records, records);
        Interlocked.Increment(ref _messages);
        Interlocked.Add(ref _bytes, bytes);
    }

    internal void AddCopy() => Interlocked.Increment(ref _copies);

    internal void AddEarly() => Interlocked.Increment(ref _early);

    internal void AddMissing(long records) => Interlocked.Add(ref _missing, records);

    internal void AddMalformed() => Interlocked.Increment(ref _malformed);
}
