using ConntrackStream.EventTap.Model;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>
/// Messages in files, in order, until they are acknowledged. "Kept" means that write(2) returned: that survives a kill -9, not a power
/// loss. One thread appends and another one reads and acknowledges; each has its own file handle.
/// </summary>
internal sealed partial class MessageSpool : IDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly SpoolFiles _files;
    private readonly SpoolOptions _options;
    private readonly string _section;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _segmentBytes;
    private readonly Lock _gate = new(); // the list, its segments' lengths, and the read position; held for no call to the disk
    private readonly List<SpoolSegment> _segments = []; // oldest first; the last one is written to

    // Used by the appending thread only.
    private SafeFileHandle? _tail;
    private long _nextSegment = 1;
    private long _refuseUntil; // TimeProvider timestamp
    private long _lookAt; // TimeProvider timestamp: at the disk's free space
    private string? _obstacle;

    /// <param name="files">Disposed of with the spool, and where the spool cannot be made.</param>
    /// <param name="section">Of the engine's options, for messages: Nats.</param>
    /// <exception cref="IOException">A file cannot be opened, or must not be trusted.</exception>
    internal MessageSpool(SpoolFiles files, SpoolOptions options, string section, TimeProvider time, ILogger logger)
    {
        (_files, _options, _section, _time, _logger) = (files, options, section, time, logger);
        _segmentBytes = Math.Clamp(options.MaxBytes / 16, 2 * FrameHeader.MaxPayload, 16 << 20);
        try
        {
            Load();
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>The last message of the runs before; null when there was none.</summary>
    internal FrameHeader? Earlier { get; private set; }

    /// <summary>Why nothing is kept at the moment; null when messages are.</summary>
    internal string? Obstacle => Volatile.Read(ref _obstacle);

    /// <summary>Bytes of all files.</summary>
    internal long Bytes
    {
        get
        {
            lock (_gate)
                return _segments.Sum(static segment => segment.Length);
        }
    }

    /// <summary>Keeps a frame behind all others.</summary>
    /// <param name="begin">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <returns>False: there is no room, or the disk does not take it.</returns>
    internal bool TryAppend(ReadOnlySpan<byte> frame, out SpoolPosition begin, out SpoolPosition end)
    {
        begin = end = default;
        long now = _time.GetTimestamp();
        if (now < _refuseUntil)
            return false;
        if (Bytes + frame.Length > _options.MaxBytes)
            return Refuse($"it is full ({_section}:Spool:MaxBytes)", now);
        if (IsDiskLow(now))
            return Refuse($"the disk has less space left than {_section}:Spool:KeepFreeBytes", now);
        try
        {
            SpoolSegment segment = Tail(frame.Length);
            _files.Write(_tail!, frame, segment.Length);
            (begin, end) = Commit(segment, frame.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CutTail();
            return Refuse(e.Message, now);
        }

        if (_obstacle is not null)
            _logger.SpoolsAgain(_files.Path);
        Volatile.Write(ref _obstacle, null);
        return true;
    }

    public void Dispose()
    {
        SaveMark(force: true);
        _tail?.Dispose();
        _head?.Dispose();
        _mark?.Dispose();
        _files.Dispose();
    }

    private SpoolSegment Tail(int more)
    {
        SpoolSegment? last;
        lock (_gate)
            last = _segments.Count == 0 ? null : _segments[^1];
        if (last is not null && _tail is not null && last.Length + more <= _segmentBytes)
            return last;
        _tail?.Dispose();
        _tail = null;
        SpoolSegment segment = new(_nextSegment);
        _tail = _files.Create(_nextSegment++);
        lock (_gate)
            _segments.Add(segment);
        return segment;
    }

    private (SpoolPosition Begin, SpoolPosition End) Commit(SpoolSegment segment, int length)
    {
        lock (_gate)
        {
            SpoolPosition begin = new(segment.Number, segment.Length);
            segment.Length += length;
            segment.Newest = _time.UnixNanoseconds();
            return (begin, new SpoolPosition(segment.Number, segment.Length));
        }
    }

    /// <summary>What a failed write has left behind the last frame; where it cannot be cut off, a new file is begun.</summary>
    private void CutTail()
    {
        if (_tail is null)
            return;
        long length;
        lock (_gate)
            length = _segments[^1].Length;
        try
        {
            RandomAccess.SetLength(_tail, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _tail.Dispose();
            _tail = null;
        }
    }

    private bool IsDiskLow(long now)
    {
        if (_options.KeepFreeBytes == 0 || now < _lookAt)
            return false;
        try
        {
            if (_files.FreeBytes() < _options.KeepFreeBytes)
                return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }

        _lookAt = now + (long)(Retry.TotalSeconds * _time.TimestampFrequency);
        return false;
    }

    private bool Refuse(string reason, long now)
    {
        if (_obstacle is null)
            _logger.CannotSpool(_files.Path, reason);
        Volatile.Write(ref _obstacle, reason);
        _refuseUntil = now + (long)(Retry.TotalSeconds * _time.TimestampFrequency);
        return false;
    }
}
