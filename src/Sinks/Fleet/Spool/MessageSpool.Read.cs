using ConntrackStream.EventTap.Model;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Spool;

// The reading thread: it takes frames in order, acknowledges them, and deletes files of which nothing is left to send.
internal sealed partial class MessageSpool
{
    private readonly byte[] _frame = new byte[FrameHeader.Length + FrameHeader.MaxPayload];
    private SpoolPosition _read; // changed under the gate
    private SafeFileHandle? _head; // of the segment that is read
    private long _headNumber;
    private SafeFileHandle? _mark;
    private SpoolMark _acknowledged;
    private SpoolMark _saved;
    private long _saveAt; // TimeProvider timestamp
    private bool _markHasFailed;

    /// <summary>How far the server has acknowledged.</summary>
    internal SpoolMark Acknowledged => _acknowledged;

    /// <summary>Everything before it was read, or was never meant to be.</summary>
    internal SpoolPosition ReadPosition
    {
        get
        {
            lock (_gate)
                return _read;
        }
    }

    /// <summary>Something was appended that was not read.</summary>
    internal bool HasUnread
    {
        get
        {
            lock (_gate)
                return _segments.Count > 0 && new SpoolPosition(_segments[^1].Number, _segments[^1].Length) > _read;
        }
    }

    /// <summary>Reads on at another place: what is before it is in memory.</summary>
    internal void ReadFrom(SpoolPosition position)
    {
        lock (_gate)
            _read = position;
    }

    /// <summary>The next message; null when there is none. Damaged and expired ones are left out.</summary>
    internal Message? Read()
    {
        Expire();
        while (NextSegment() is { } segment)
        {
            SpoolPosition begin = ReadPosition;
            string problem = "";
            try
            {
                if (TryReadFrame(begin, out int length) && FrameHeader.TryRead(_frame.AsSpan(0, length), out FrameHeader header))
                {
                    SpoolPosition end = begin with { Offset = begin.Offset + length };
                    ReadFrom(end);
                    if (!IsExpired(header.Made))
                        return Message.Copy(_frame.AsSpan(0, length), header, end);
                    continue;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
            }

            _logger.Damaged(_files.PathOf(segment.Number), begin.Offset, problem);
            lock (_gate)
                _read = new SpoolPosition(segment.Number, Math.Max(segment.Length, begin.Offset));
        }

        return null;
    }

    /// <summary>All messages up to here have been acknowledged, in the spool and in memory.</summary>
    /// <param name="end">Of the message; null when it was in memory only.</param>
    internal void Acknowledge(SpoolPosition? end, ulong run, ulong last)
    {
        _acknowledged = new SpoolMark(end ?? _acknowledged.Position, run, last);
        bool hasDone;
        lock (_gate)
            hasDone = _segments.Count > 1 && _segments[0].Number < _acknowledged.Position.Segment;
        SaveMark(force: hasDone); // before its file goes: a start after a kill takes for lost what neither of them has
        DeleteWhile(segment => segment.Number < _acknowledged.Position.Segment);
    }

    /// <summary>Deletes files that are too old, as when the server is away for long.</summary>
    internal void Expire() => DeleteWhile(
        segment => IsExpired(segment.Newest),
        segment =>
        {
            if (segment.Length > 0)
                _logger.Expired(_files.PathOf(segment.Number), _section);
        });

    private bool IsExpired(long made) =>
        _options.MaxAge > TimeSpan.Zero && made < (_time.GetUtcNow() - _options.MaxAge).ToUnixTimeNanoseconds();

    /// <summary>The segment with the next frame, with the read position set into it; null when all is read.</summary>
    private SpoolSegment? NextSegment()
    {
        lock (_gate)
        {
            foreach (SpoolSegment segment in _segments)
            {
                if (segment.Number < _read.Segment || (segment.Number == _read.Segment && segment.Length <= _read.Offset))
                    continue;
                if (segment.Length == 0)
                    continue;
                if (segment.Number > _read.Segment)
                    _read = new SpoolPosition(segment.Number, 0);
                return segment;
            }
        }

        return null;
    }

    private bool TryReadFrame(SpoolPosition at, out int length)
    {
        if (_head is null || _headNumber != at.Segment)
        {
            _head?.Dispose();
            _head = _files.Open(at.Segment);
            _headNumber = at.Segment;
        }

        length = 0;
        return _head is not null && SpoolSegment.TryReadFrame(_head, at.Offset, _frame, out length);
    }

    /// <summary>From the oldest on, never the one that is written to: it has the last sequence number.</summary>
    private void DeleteWhile(Func<SpoolSegment, bool> isDone, Action<SpoolSegment>? onDeleted = null)
    {
        while (true)
        {
            SpoolSegment oldest;
            lock (_gate)
            {
                if (_segments.Count < 2 || !isDone(_segments[0]))
                    return;
                oldest = _segments[0];
                _segments.RemoveAt(0);
            }

            try
            {
                _files.Delete(oldest.Number);
                onDeleted?.Invoke(oldest);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _logger.NotDeleted(_files.PathOf(oldest.Number), e.Message);
            }
        }
    }

    /// <summary>At most once a second: after a kill, what was acknowledged since is sent again under the same ids.</summary>
    private void SaveMark(bool force)
    {
        long now = _time.GetTimestamp();
        if (_acknowledged == _saved || (!force && now < _saveAt))
            return;
        _saveAt = now + (long)(Retry.TotalSeconds * _time.TimestampFrequency);
        Span<byte> mark = stackalloc byte[SpoolMark.Length];
        _acknowledged.Write(mark);
        try
        {
            _files.Write(_mark ??= _files.OpenMark(), mark, 0);
            _saved = _acknowledged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_markHasFailed)
                _logger.MarkFailed(_files.MarkPath, e.Message);
            _markHasFailed = true;
        }
    }
}
