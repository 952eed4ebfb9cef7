using System.Threading.Channels;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>
/// Messages between the sink's thread, which adds them, and the publisher's, which takes and acknowledges them in order. Each is kept in
/// the spool and, while the memory for messages has room, there as well; once it has none, messages are read back from the spool until the
/// publisher has caught up. Without a spool, or while the disk takes nothing, a message is in memory only.
/// </summary>
/// <remarks>
/// The publisher sleeps until a few messages are there, or until <see cref="Announce"/>: to be woken for each costs more than all else that
/// is done for it.
/// </remarks>
internal sealed class MessageQueue : IDisposable
{
    private const int WakeAt = 16; // messages

    private readonly MessageSpool? _spool;
    private readonly long _memoryLimit;
    private readonly Channel<bool> _added = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Lock _gate = new(); // what follows
    private readonly Queue<Message> _memory = [];
    private long _memoryBytes; // of messages that are queued here, or taken from here and not yet acknowledged
    private bool _isOnDisk; // messages are taken from the spool, and added nowhere else
    private long _unsaved; // records that are in memory only and not acknowledged
    private int _unannounced; // messages; the adding thread's

    /// <param name="spool">Null: there is none.</param>
    /// <param name="memoryLimit">Bytes.</param>
    internal MessageQueue(MessageSpool? spool, long memoryLimit)
    {
        (_spool, _memoryLimit) = (spool, memoryLimit);
        _isOnDisk = spool?.HasUnread ?? false;
    }

    internal MessageSpool? Spool => _spool;

    /// <summary>Bytes of messages in memory.</summary>
    internal long MemoryBytes => Volatile.Read(ref _memoryBytes);

    /// <summary>Records that a kill of this process would lose.</summary>
    internal long Unsaved => Volatile.Read(ref _unsaved);

    /// <summary>Nothing is left to be taken.</summary>
    internal bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _memory.Count == 0 && !(_isOnDisk && _spool!.HasUnread);
        }
    }

    /// <summary>Messages were added of which the publisher does not know.</summary>
    internal bool HasUnannounced => _unannounced > 0;

    /// <summary>Adds a message; called by one thread at a time.</summary>
    /// <returns>False: there is no room for it, in memory nor on disk.</returns>
    internal bool TryAdd(ReadOnlySpan<byte> frame, in FrameHeader header)
    {
        bool isAdded = TryKeep(frame, header);
        _unannounced += isAdded ? 1 : 0;
        if (!isAdded || _unannounced >= WakeAt)
            Announce();
        return isAdded;
    }

    /// <summary>Wakes the publisher for what was added; called by the thread that adds.</summary>
    internal void Announce()
    {
        _unannounced = 0;
        Wake();
    }

    /// <summary>The next message; null when there is none.</summary>
    internal Message? TryTake()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_memory.TryDequeue(out Message? message))
                    return message;
                if (!_isOnDisk)
                    return null;
            }

            if (_spool!.Read() is { } read)
                return read;
            lock (_gate)
            {
                _isOnDisk = _spool.HasUnread;
                if (!_isOnDisk)
                    return null;
            }
        }
    }

    /// <summary>Ends when messages were announced since the last call that ended.</summary>
    internal async Task WaitAsync(CancellationToken cancellationToken) =>
        await _added.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Ends the wait as if messages had been announced. From any thread.</summary>
    internal void Wake() => _added.Writer.TryWrite(true);

    /// <summary>The server has it, and all taken before it.</summary>
    internal void Acknowledge(Message message)
    {
        lock (_gate)
            Forget(message);
        if (!message.IsLoss)
            _spool?.Acknowledge(message.End, message.Header.Run, message.Header.Last);
        message.Release();
    }

    public void Dispose()
    {
        foreach (Message message in _memory)
            message.Release();
        _spool?.Dispose();
    }

    private bool TryKeep(ReadOnlySpan<byte> frame, in FrameHeader header)
    {
        SpoolPosition begin = default, end = default;
        bool isKept = _spool?.TryAppend(frame, out begin, out end) ?? false;
        lock (_gate)
        {
            if (isKept && end <= _spool!.ReadPosition)
                return true; // the publisher has read it already
            if (!_isOnDisk && _memoryBytes + frame.Length <= _memoryLimit)
                AddToMemory(Message.Copy(frame, header, isKept ? end : null, isQueued: true));
            else if (!isKept)
                return false;
            else
                ContinueOnDisk(begin);
        }

        return true;
    }

    private void AddToMemory(Message message)
    {
        _memory.Enqueue(message);
        _memoryBytes += message.Length;
        _unsaved += message.End is null ? message.Header.Records : 0;
    }

    private void Forget(Message message)
    {
        if (!message.IsQueued)
            return;
        _memoryBytes -= message.Length;
        _unsaved -= message.End is null ? message.Header.Records : 0;
    }

    private void ContinueOnDisk(SpoolPosition begin)
    {
        if (_isOnDisk)
            return;
        _isOnDisk = true;
        _spool!.ReadFrom(begin);
    }
}
