using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>
/// The flow log of one host: its file, how far it is complete, and messages that came too early. Used by one thread at a time.
/// </summary>
internal sealed class HostLog : IAsyncDisposable
{
    private const int MostHeld = 256; // messages
    private const int MaxName = 180; // with the suffixes of rotation below NAME_MAX, 255

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly CollectOptions _options;
    private readonly CollectCounters _counters;
    private readonly TimeProvider _time;
    private readonly FlowLogFile _file;
    private readonly HostPosition _position;
    private readonly SequencedWriter _gaps;
    private readonly SequenceTracker _sequence = new();
    private readonly SortedList<(ulong Run, ulong First), CollectedMessage> _held = [];
    private readonly string _path;
    private readonly ILogger _logger;
    private long _lastTime; // of a record that is written
    private long _lookAt; // TimeProvider timestamp: whether the file is in its place
    private long _missingSince; // TimeProvider timestamp; counts while something is held

    /// <exception cref="IOException">Its files cannot be opened, or must not be trusted.</exception>
    internal HostLog(
        string host, OwnedDirectory directory, CollectOptions options, CollectCounters counters, TimeProvider time, ILogger logger)
    {
        (_options, _counters, _time, _logger) = (options, counters, time, logger);
        Host = host;
        string name = FileNameOf(host)!;
        _path = directory.PathOf($"{name}.ndjson");
        _file = new FlowLogFile(_path, options.Rotation, time, logger, "--directory", new IndexMaker());
        try
        {
            _position = new HostPosition(directory, name);
            (ulong run, ulong last, List<ulong> ended) = _position.Read(_path);
            _sequence.StartAfter(run, last, ended);
        }
        catch
        {
            _file.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }

        _lastTime = _file.LastWritten ?? 0;
        _gaps = new FleetRecords(new FlowLogOptions { Host = host }).NewWriter();
    }

    private delegate void LinesWritten(ReadOnlySpan<byte> lines);

    internal string Host { get; }

    /// <summary>Nothing waits for what is missing.</summary>
    internal bool IsIdle => _held.Count == 0;

    /// <summary>TimeProvider timestamp of the last message.</summary>
    internal long UsedAt { get; private set; }

    /// <summary>Letters, digits, - and _, dots within; everything else as =XX. Null: it is too long for a file's name.</summary>
    internal static string? FileNameOf(string host)
    {
        string name = host.StartsWith('.') ? HostToken.Of(host) : string.Join('.', host.Split('.').Select(HostToken.Of));
        return name.Length is > 0 and <= MaxName ? name : null;
    }

    /// <summary>Writes a message's lines if it is their turn, and acknowledges it when they are on disk.</summary>
    internal async ValueTask TakeAsync(CollectedMessage message, CancellationToken cancellation)
    {
        UsedAt = _time.GetTimestamp();
        SequenceVerdict verdict = _sequence.Judge(message.Identity);
        if (verdict == SequenceVerdict.Early)
        {
            await HoldAsync(message, cancellation).ConfigureAwait(false);
            return;
        }

        await TakeInTurnAsync(message, verdict, cancellation).ConfigureAwait(false);
        await TakeHeldAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Writes a gap for what has been missing for too long, and goes on behind it.</summary>
    internal async ValueTask CheckMissingAsync(CancellationToken cancellation)
    {
        while (_held.Count > 0 && _time.GetElapsedTime(_missingSince) >= _options.Patience)
        {
            CollectedMessage next = _held.Values[0];
            if (_sequence.Missing(next.Identity) is { } missing)
                await WriteGapAsync(missing, LineTime.Of(FirstLine(next.Lines.Span)) ?? _lastTime, cancellation).ConfigureAwait(false);
            else
                _sequence.BeginWith(next.Identity);
            await TakeHeldAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What is held is for another connection, or another collector.</summary>
    internal async ValueTask ReleaseHeldAsync(CancellationToken cancellation)
    {
        foreach (CollectedMessage message in _held.Values)
            await message.ReturnAsync(TimeSpan.Zero, cancellation).ConfigureAwait(false);
        _held.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CollectedMessage message in _held.Values)
            message.Dispose();
        await _file.DisposeAsync().ConfigureAwait(false);
        _position.Dispose();
    }

    private async ValueTask HoldAsync(CollectedMessage message, CancellationToken cancellation)
    {
        _counters.AddEarly();
        (ulong, ulong) key = (message.Identity.Run, message.Identity.First);
        if (_held.Count == 0)
            _missingSince = _time.GetTimestamp();
        if (_held.TryGetValue(key, out CollectedMessage? before)) // delivered again meanwhile
            before.Dispose();
        _held[key] = message;
        if (_held.Count <= MostHeld)
            return;
        CollectedMessage latest = _held.Values[^1]; // the log goes on with the earliest one, however they come
        _held.RemoveAt(MostHeld);
        await latest.ReturnAsync(Retry, cancellation).ConfigureAwait(false);
    }

    private async ValueTask TakeHeldAsync(CancellationToken cancellation)
    {
        while (_held.Count > 0)
        {
            CollectedMessage next = _held.Values[0];
            SequenceVerdict verdict = _sequence.Judge(next.Identity);
            if (verdict == SequenceVerdict.Early)
                return;
            _held.RemoveAt(0);
            _missingSince = _time.GetTimestamp();
            await TakeInTurnAsync(next, verdict, cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeInTurnAsync(CollectedMessage message, SequenceVerdict verdict, CancellationToken cancellation)
    {
        switch (verdict)
        {
            case SequenceVerdict.Copy:
                _counters.AddCopy();
                break;
            case SequenceVerdict.Late:
                await WriteAsync(message.Lines, onWritten: null, cancellation).ConfigureAwait(false);
                _sequence.TookLate(message.Identity);
                _counters.AddWritten(message.Records, message.Lines.Length);
                break;
            default:
                await WriteNextAsync(message, cancellation).ConfigureAwait(false);
                break;
        }

        await message.AcknowledgeAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>A part of it may be there, from a run that was killed.</summary>
    private async ValueTask WriteNextAsync(CollectedMessage message, CancellationToken cancellation)
    {
        MessageIdentity identity = message.Identity;
        ulong next = identity.First;
        ReadOnlyMemory<byte> lines = message.Lines;
        if (identity.Run == _sequence.Run && !identity.IsLoss)
        {
            for (; next <= _sequence.Last; next++)
                lines = lines[(lines.Span.IndexOf((byte)'\n') + 1)..];
        }

        long before = (long)(next - identity.First);
        _lastTime = LineTime.Of(FirstLine(lines.Span)) ?? _lastTime;
        await WriteAsync(
            lines,
            written =>
            {
                next += (ulong)written.Count((byte)'\n');
                if (next > identity.First)
                    _sequence.Took(identity with { Last = identity.IsLoss ? identity.Last : next - 1 });
            },
            cancellation).ConfigureAwait(false);
        _position.Write(_sequence);
        _counters.AddWritten(message.Records - before, lines.Length);
    }

    private async ValueTask WriteGapAsync((ulong Run, ulong First, ulong Last) missing, long to, CancellationToken cancellation)
    {
        long lost = (long)(missing.Last - missing.First + 1);
        FlowChange gap = new()
        {
            Kind = FlowChangeKind.Gap,
            Time = to,
            Gap = new FlowGap(FlowGapReason.RecordsMissing, Math.Min(_lastTime, to), to, lost, Recovered: null),
        };
        byte[] line = new byte[4096];
        int length = _gaps.Write(line, gap, missing.Run, missing.First, missing.Last);
        await WriteAsync(line.AsMemory(0, length), onWritten: null, cancellation).ConfigureAwait(false);
        _sequence.GiveUp(missing);
        _position.Write(_sequence);
        _counters.AddMissing(lost);
        _logger.RecordsMissing(Host, lost, RunId.Text(missing.Run), missing.First, missing.Last);
    }

    /// <summary>Until all of it is in the file: a full disk is waited for.</summary>
    /// <param name="onWritten">Gets each part that is in the file.</param>
    private async ValueTask WriteAsync(
        ReadOnlyMemory<byte> lines, LinesWritten? onWritten, CancellationToken cancellation)
    {
        LookAfterFile();
        bool hasFailed = false;
        while (!lines.IsEmpty)
        {
            int written = _file.Write(lines.Span, out Errno error, cancellation);
            onWritten?.Invoke(lines.Span[..written]);
            lines = lines[written..];
            if (error == Errno.None)
                continue;
            if (!hasFailed)
                _logger.CannotWrite(_path, NetlinkException.DescribeErrno(error));
            hasFailed = true;
            await Task.Delay(Retry, _time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Once a second: another program may have renamed the file.</summary>
    private void LookAfterFile()
    {
        long now = _time.GetTimestamp();
        if (now < _lookAt)
            return;
        _lookAt = now + _time.TimestampFrequency;
        if (!_file.Reopen())
            _logger.FileRemoved(_path);
    }

    private static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> lines) => lines[..Math.Max(lines.IndexOf((byte)'\n'), 0)];
}
