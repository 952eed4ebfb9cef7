using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Sinks.MapCleaning.Evidence;

/// <summary>
/// The evidence of each deletion, as NDJSON in a file of its own, opened and rotated as the flow log is. A disk that is full never fails
/// the caller: what fits into the buffer is kept and tried again each second, the rest is counted.
/// </summary>
public sealed class MapEvidenceFile : IMapEvidence, IAsyncDisposable
{
    private const int Length = 64 * 1024;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // the journal's task, and a signal's thread
    private readonly FlowLogFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EvidenceLine _line = new();
    private readonly byte[] _buffer = new byte[Length];
    private int _used;
    private bool _isFailing;
    private long _retryAt; // TimeProvider timestamp
    private long _droppedWhileFailing;

    /// <param name="path">A regular file, made with mode 0640 if it is missing.</param>
    /// <exception cref="FlowLogFileException">It cannot be opened, or is refused.</exception>
    public MapEvidenceFile(string path, RotationOptions rotation, TimeProvider time, ILogger logger)
    {
        (_time, _logger) = (time, logger);
        _file = new FlowLogFile(path, rotation, time, logger, Setting);
    }

    internal const string Setting = "Map:EvidencePath";

    /// <summary>Lines that could not be written, since the start.</summary>
    public long Dropped { get; private set; }

    public void Write(in MapDecision decision)
    {
        lock (_gate)
        {
            if (TryAppend(decision))
                return;
            FlushBuffer(force: false);
            if (TryAppend(decision))
                return;
            Dropped++;
            _droppedWhileFailing++;
        }
    }

    public void Flush()
    {
        lock (_gate)
            FlushBuffer(force: false);
    }

    /// <summary>Opens the file again, after another program has renamed it (SIGHUP).</summary>
    public void Reopen()
    {
        lock (_gate)
            _file.Reopen();
    }

    /// <summary>Writes what is buffered, as far as the disk takes it.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            FlushBuffer(force: true);
            long left = Dropped + _buffer.AsSpan(0, _used).Count((byte)'\n');
            if (left > 0)
                _logger.EvidenceLost(left, _file.Name);
            _used = 0;
        }

        await _file.DisposeAsync();
    }

    private bool TryAppend(in MapDecision decision)
    {
        int length = _line.Write(_buffer.AsSpan(_used), decision);
        _used += length;
        return length > 0;
    }

    private void FlushBuffer(bool force)
    {
        if (_used == 0 || (_isFailing && !force && _time.GetTimestamp() < _retryAt))
            return;
        int written = _file.Write(_buffer.AsSpan(0, _used), out Errno error, CancellationToken.None);
        _buffer.AsSpan(written, _used - written).CopyTo(_buffer);
        _used -= written;
        if (error != Errno.None)
            Failed(error);
        else if (_isFailing)
            Recovered();
    }

    private void Failed(Errno error)
    {
        _retryAt = _time.GetTimestamp() + (long)(Retry.TotalSeconds * _time.TimestampFrequency);
        if (!_isFailing)
            _logger.EvidenceFailed(_file.Name, error.ToString(), NetlinkException.DescribeErrno(error));
        _isFailing = true;
    }

    private void Recovered()
    {
        _logger.EvidenceRecovered(_file.Name, _droppedWhileFailing);
        _isFailing = false;
        _droppedWhileFailing = 0;
    }
}
