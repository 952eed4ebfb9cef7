using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Files;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// The log as a regular file: appended to by write(2), so that what is written survives a kill -9 of this process (not a power loss),
/// rotated by rename and reopen, repaired on opening. Used by one thread at a time.
/// </summary>
internal sealed class FlowLogFile : ILogOutput
{
    // After a failed rotation the log goes on in the old file; so long until the next attempt.
    private static readonly TimeSpan RotationRetry = TimeSpan.FromMinutes(1);

    // What keeps a file from being opened lasts; it is tried again each second.
    private static readonly TimeSpan ReopenWarnings = TimeSpan.FromMinutes(1);

    private readonly string _path;
    private readonly string _setting;
    private readonly RotationOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RotatedFiles _rotated;
    private readonly RotatedFileKeeper _keeper;
    private OpenedLogFile _file;
    private DateTimeOffset _period; // begin of the rotation interval that the file's content belongs to
    private long? _rotationFailedAt; // timestamps: the clock may be set
    private long? _reopenWarnedAt;
    private bool _isShortened; // as the last look found it
    private bool _isRemoved; // and the path could not be opened again: nothing can be written
    private bool _endsInLine; // half a line could not be cut off: it is continued, and so must stay in this file

    /// <param name="setting">That names the file, for messages.</param>
    /// <param name="indexer">Null: rotated files have no index.</param>
    /// <exception cref="FlowLogFileException">The file cannot be opened, or is refused.</exception>
    internal FlowLogFile(
        string path, RotationOptions options, TimeProvider time, ILogger logger, string setting = FlowLogFileException.FlowLogPath,
        IFileIndexer? indexer = null)
    {
        _path = path;
        _setting = setting;
        _options = options;
        _time = time;
        _logger = logger;
        _rotated = new RotatedFiles(path);
        _file = OpenAndRepair();
        _keeper = new RotatedFileKeeper(_rotated, options, logger, indexer);
        _keeper.Wake();
    }

    public string Name => _path;

    /// <summary>Files renamed since start.</summary>
    internal long Rotations { get; private set; }

    /// <summary>
    /// When the run before this one last wrote, ns since the Unix epoch: the time of the latest record, else of the last write; null when
    /// the file was empty or did not exist.
    /// </summary>
    internal long? LastWritten { get; private set; }

    public int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken)
    {
        error = Errno.None;
        if (_isRemoved && !TryReopen())
        {
            error = Errno.ENOENT;
            return 0;
        }

        RotateIfDue(lines.Length);
        int done = 0;
        while (done < lines.Length)
        {
            int written = FileCalls.Write(_file.Handle, lines[done..]);
            if (written <= 0)
            {
                error = written == 0 ? Errno.EIO : (Errno)(-written);
                return CutHalfLine(lines[..done]);
            }

            done += written;
        }

        Keep(lines);
        return done;
    }

    /// <summary>
    /// A file that has another name now was rotated, and has all that was written to it. One without a name is gone. (Where it was replaced
    /// by a rename, it is gone, too.) One that is shorter than it was has lost what it had; logrotate's copytruncate copies it first.
    /// </summary>
    public bool Reopen()
    {
        if (_isRemoved)
        {
            TryReopen();
            return true;
        }

        bool isRemoved = _file.IsRemoved;
        _isShortened = !isRemoved && _file.TakeShortening();
        bool isLost = isRemoved || _isShortened;
        if (isLost)
            LostFrom = EarlierFiles.LastWritten(_path) is { } left ? RestartGap.Begin(left) : 0;
        if (!isRemoved && _file.IsAt(_path))
            return !isLost;
        _isRemoved = !TryReopen() && isRemoved;
        return !isLost;
    }

    /// <summary>What is left of the log ends with the file that was rotated last, if there is one.</summary>
    public long LostFrom { get; private set; }

    private bool TryReopen()
    {
        try
        {
            Replace(OpenAndRepair());
            _logger.Reopened(_path);
            return true;
        }
        catch (FlowLogFileException e)
        {
            WarnOfReopen(e.Message);
            return false;
        }
    }

    private void WarnOfReopen(string reason)
    {
        if (IsWithin(ReopenWarnings, _reopenWarnedAt))
            return;
        _reopenWarnedAt = _time.GetTimestamp();
        _logger.ReopenFailed(reason);
    }

    public bool IsWatched => true;

    public void ReportLost(long records)
    {
        if (_isShortened)
            _logger.OutputShortened(_path);
        else
            _logger.OutputRemoved(_path, records);
    }

    public async ValueTask DisposeAsync()
    {
        _file.Dispose();
        await _keeper.DisposeAsync();
    }

    private OpenedLogFile OpenAndRepair()
    {
        OpenedLogFile file = OpenedLogFile.Open(_path, _setting);
        LastWritten = null;
        _period = PeriodOf(_time.GetUtcNow());
        if (file.Length == 0)
            return file;
        LogTail tail = LogTail.Read(file.Handle, file.Length);
        LastWritten = tail.LastTime ?? file.ModifiedBefore;
        _period = PeriodOf(DateTimeOffset.UnixEpoch.AddTicks(file.ModifiedBefore / 100));
        if (tail.IsTorn)
            Repair(file, tail);
        return file;
    }

    /// <summary>A half line of ours is cut off; one that is not ours is ended by a line feed, so that nothing of it is lost.</summary>
    private void Repair(OpenedLogFile file, in LogTail tail)
    {
        long torn = file.Length - tail.WholeLength;
        if (tail.IsOwn && file.TryTruncate(file.Length, tail.WholeLength))
        {
            _logger.TornTailCut(_path, torn);
        }
        else if (FileCalls.Write(file.Handle, "\n"u8) == 1)
        {
            file.Length++;
            _logger.ForeignTailEnded(_path, torn);
        }
    }

    /// <summary>After a short write: leaves only whole lines in the file.</summary>
    /// <returns>Bytes of <paramref name="written"/> that are in the file.</returns>
    private int CutHalfLine(ReadOnlySpan<byte> written)
    {
        int whole = written.LastIndexOf((byte)'\n') + 1;
        bool cut = whole != written.Length && !_endsInLine && _file.TryTruncate(_file.Length + written.Length, _file.Length + whole);
        if (!cut)
            Keep(written);
        return cut ? whole : written.Length;
    }

    private void Keep(ReadOnlySpan<byte> written)
    {
        _file.Length += written.Length;
        _endsInLine = written.IsEmpty ? _endsInLine : written[^1] != '\n';
    }

    private void RotateIfDue(int more)
    {
        DateTimeOffset now = _time.GetUtcNow();
        bool tooLarge = _options.MaxBytes > 0 && _file.Length + more > _options.MaxBytes;
        bool isOfAnotherPeriod = _options.Interval > TimeSpan.Zero && PeriodOf(now) != _period; // also after the clock was set back
        if (!(tooLarge || isOfAnotherPeriod) || IsWithin(RotationRetry, _rotationFailedAt) || _endsInLine)
            return;
        if (_file.Length > 0)
            Rotate(now);
        else
            _period = PeriodOf(now);
    }

    private void Rotate(DateTimeOffset now)
    {
        if (!_file.IsAt(_path)) // another program renamed it, and has not yet said so
        {
            _rotationFailedAt = _time.GetTimestamp();
            if (!_file.IsRemoved) // if it was, the next look says what is lost
                Reopen();
            return;
        }

        string rotated = _rotated.NewName(now);
        if (Libc.rename(_path, rotated) < 0)
        {
            RotationFailed(NetlinkException.DescribeErrno(LastErrno));
            return;
        }

        try
        {
            Replace(OpenedLogFile.Open(_path, _setting));
            _period = PeriodOf(now);
            Rotations++;
            _keeper.Wake();
        }
        catch (FlowLogFileException e)
        {
            if (!File.Exists(_path))
                _ = Libc.rename(rotated, _path);
            RotationFailed(e.Message);
        }
    }

    private void RotationFailed(string reason)
    {
        _rotationFailedAt = _time.GetTimestamp();
        _logger.RotationFailed(_path, reason);
    }

    private bool IsWithin(TimeSpan duration, long? since) => since is { } then && _time.GetElapsedTime(then) < duration;

    private void Replace(OpenedLogFile file)
    {
        _file.Dispose();
        _file = file;
        _endsInLine = false;
        _isRemoved = false;
    }

    private DateTimeOffset PeriodOf(DateTimeOffset time) => _options.Interval <= TimeSpan.Zero
        ? DateTimeOffset.MinValue
        : new DateTimeOffset(time.UtcTicks - (time.UtcTicks % _options.Interval.Ticks), TimeSpan.Zero);
}
