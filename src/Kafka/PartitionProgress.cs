namespace ConntrackStream.Kafka;

/// <summary>Up to where all messages of a partition are in files, and from where they are to be read again. Not thread-safe.</summary>
internal sealed class PartitionProgress
{
    private readonly SortedSet<long> _open = []; // read, and not yet in a file
    private long _next = -1; // behind the last that was read
    private long? _rewind;

    /// <summary>Offset of the first message that is not in a file; null: none was read yet.</summary>
    internal long? Position => _open.Count > 0 ? _open.Min : _next < 0 ? null : _next;

    internal void Read(long offset)
    {
        _open.Add(offset);
        _next = Math.Max(_next, offset + 1);
    }

    /// <summary>It is in a file, or of no use.</summary>
    internal void Done(long offset) => _open.Remove(offset);

    /// <summary>It is to be read again.</summary>
    internal void Return(long offset) => _rewind = Math.Min(_rewind ?? offset, offset);

    /// <summary>From where to read again; null: nothing is to be. The question is forgotten then.</summary>
    internal long? TakeRewind()
    {
        long? rewind = _rewind;
        _rewind = null;
        return rewind;
    }
}
