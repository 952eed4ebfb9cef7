using System.Threading.Channels;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// One peer from its hello to its end: a task that writes questions, many in one write, and one that reads answers. It ends when the peer
/// does, or when the peer proves of no use.
/// </summary>
internal sealed class ExternalSession
{
    /// <summary>So many faulty lines without a good one in between end it.</summary>
    internal const int MaxFaultsInRow = 100;

    /// <summary>So many questions without one answer, over at least ten deadlines, and it hangs.</summary>
    internal const int MaxMissedInRow = 64;

    /// <summary>Answers beyond four for each question, and these, are a flood.</summary>
    internal const int FreeAnswers = 1000;

    private const int WriteBuffer = 64 * 1024;
    private static readonly TimeSpan FaultLogInterval = TimeSpan.FromMinutes(1);

    private readonly ExternalPeer _peer;
    private readonly ExternalSessionParts _parts;
    private readonly AnswerParser _parser;
    private readonly ReconsiderPace _pace;
    private readonly TaskCompletionSource<string> _hung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _written; // questions; the writing task's, read by the reading one

    // the reading task's alone
    private long _answers;
    private int _faultsInRow;
    private TimeSpan _wait;

    // from any thread
    private int _missedInRow;
    private long _firstMissedAt;

    internal ExternalSession(ExternalPeer peer, ExternalSessionParts parts)
    {
        (_peer, _parts) = (peer, parts);
        _parser = new AnswerParser(parts.PathNames, parts.Options.VerdictTime);
        _pace = new ReconsiderPace(parts.Time);
    }

    /// <summary>Runs until the peer's end or fault.</summary>
    /// <returns>Why it ended, and whether that is the peer's own end, of which <see cref="ExternalPeer.EndAsync"/> may know more.</returns>
    internal async Task<(string Reason, bool IsItsEnd)> RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<(string, bool)> reading = ReadAsync(ending.Token), writing = WriteAsync(ending.Token), hanging = HangAsync();
        (string, bool) result = await (await Task.WhenAny(reading, writing, hanging).ConfigureAwait(false)).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reading, writing).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        return result;
    }

    /// <summary>A question has had no answer by its deadline, or could not even be written.</summary>
    internal void Missed()
    {
        int missed = Interlocked.Increment(ref _missedInRow);
        if (missed == 1)
            Interlocked.Exchange(ref _firstMissedAt, _parts.Time.GetTimestamp());
        else if (missed >= MaxMissedInRow
            && _parts.Time.GetElapsedTime(Interlocked.Read(ref _firstMissedAt)) >= 10 * _parts.Options.Deadline
            && _hung.TrySetResult($"hangs: no answer to {missed} questions"))
            Interlocked.Increment(ref _parts.Counters.Hangs);
    }

    private async Task<(string, bool)> HangAsync() => (await _hung.Task.ConfigureAwait(false), false);

    private async Task<(string, bool)> WriteAsync(CancellationToken ending)
    {
        byte[] buffer = new byte[WriteBuffer];
        try
        {
            await _peer.Questions.WriteAsync(QuestionText.Hello(_parts.PathNames, _parts.Options.Deadline), ending).ConfigureAwait(false);
            while (await _parts.Unsent.WaitToReadAsync(ending).ConfigureAwait(false))
            {
                int length = Fill(buffer);
                if (length == 0)
                    continue;
                await _peer.Questions.WriteAsync(buffer.AsMemory(0, length), ending).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // its end, or ours
        }

        return ("closed its input", true);
    }

    private int Fill(byte[] buffer)
    {
        Utf8Writer text = new(buffer);
        while (text.Free >= _parts.MaxQuestion && _parts.Unsent.TryRead(out long id))
        {
            if (!_parts.Table.TryGet(id, out FlowQuestion question))
                continue; // its deadline has passed
            QuestionText.Question(ref text, id, question);
            Interlocked.Increment(ref _written);
        }

        return text.Position;
    }

    private async Task<(string, bool)> ReadAsync(CancellationToken ending)
    {
        LineBuffer lines = ExternalPeer.LinesOf(_peer.Answers);
        try
        {
            while (await lines.FillAsync(ending).ConfigureAwait(false))
            {
                while (lines.TryTake(out ReadOnlySpan<byte> line, out bool isTooLong))
                {
                    if (Take(line, isTooLong) is { } fault)
                        return (fault, false);
                    if (_wait == TimeSpan.Zero)
                        continue;
                    await Task.Delay(_wait, _parts.Time, ending).ConfigureAwait(false);
                    _wait = TimeSpan.Zero;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // its end, or ours
        }

        return ("closed its output", true);
    }

    /// <summary>Returns why the session must end; null to go on.</summary>
    private string? Take(ReadOnlySpan<byte> line, bool isTooLong)
    {
        AnswerLine answer = default;
        LineFault fault = isTooLong ? LineFault.TooLong : _parser.Parse(line, out answer);
        if (answer.Reconsider is { } range)
            Reconsider(range);
        else if (fault == LineFault.None || answer.Id != 0)
            fault = Answer(answer, fault);
        if (fault != LineFault.None)
            return Refuse(line, fault);
        _faultsInRow = 0;
        if (_answers <= (4 * Interlocked.Read(ref _written)) + FreeAnswers)
            return null;
        Interlocked.Increment(ref _parts.Counters.Flooded);
        return $"floods: {_answers} answers to {Interlocked.Read(ref _written)} questions";
    }

    private LineFault Answer(in AnswerLine answer, LineFault fault)
    {
        if (!_parts.Table.Knows(answer.Id))
            return fault == LineFault.None ? LineFault.UnknownId : fault;
        _answers++;
        Interlocked.Exchange(ref _missedInRow, 0);
        if (!_parts.Table.TryTake(answer.Id, out FlowQuestion question))
        {
            Interlocked.Increment(ref _parts.Counters.Late);
            return fault;
        }

        Interlocked.Increment(ref _parts.Counters.Answered);
        _parts.Host.Answer(question, fault == LineFault.None ? answer.Verdict : ExternalVerdicts.Unusable);
        return fault;
    }

    private void Reconsider(in AddressRange range)
    {
        _parts.Host.Reconsider(range);
        _wait = _pace.Take();
        if (_wait == TimeSpan.Zero)
            return;
        Interlocked.Increment(ref _parts.Counters.Flooded);
        if (_parts.MayLog(LineFault.None, FaultLogInterval))
            _parts.Logger.ExternalPaced();
    }

    private string? Refuse(ReadOnlySpan<byte> line, LineFault fault)
    {
        _parts.Counters.CountMalformed(fault);
        if (_parts.MayLog(fault, FaultLogInterval))
            _parts.Logger.ExternalLineRefused(fault, ErrorLines.Printable(line));
        return ++_faultsInRow < MaxFaultsInRow ? null : $"sends garbage: {MaxFaultsInRow} faulty lines in a row, the last one {fault}";
    }
}
