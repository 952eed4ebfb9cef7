using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.MapCleaning.NpaLog;

namespace ConntrackStream.Service.Verbs;

/// <summary>
/// <c>npa-log --follow</c>: each cycle of the agent's cleaner when it is over. On a terminal a last line counts down to the next one.
/// </summary>
internal sealed class NpaFollow(CliContext context, string file, TimeSpan period, bool asJson)
{
    private const string Clear = "\r\e[K"; // to the begin of the line; erase it

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // the reader and the timer
    private readonly NpaLogReader _log = new(keepDeletes: false);
    private int _shown; // cycles
    private CycleSchedule _schedule = CycleSchedule.Of([], period);

    internal async Task<int> RunAsync(CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        Stream stream = file == LogFiles.StandardInput ? context.OpenInput() : new FollowedLog(file, context.Time);
        await using (stream.ConfigureAwait(false))
        {
            if (!asJson)
                context.Print(NpaTextReport.CycleHeading);
            ITimer? timer = context.ErrorIsTerminal ? context.Time.CreateTimer(_ => Draw(), state: null, Second, Second) : null;
            try
            {
                await _log.ReadAsync(stream, interruption.Token, Show).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                // Ctrl-C: the end, in order.
            }
            finally
            {
                if (timer is not null)
                    await timer.DisposeAsync().ConfigureAwait(false);
            }
        }

        return Conclude();
    }

    /// <summary>The last line: how long until the next cycle, as far as the log shows it.</summary>
    internal static string Countdown(CycleSchedule schedule, long now)
    {
        if (schedule.Next is not { } next)
            return "next cleanup: unknown until the log shows one";
        string kind = schedule.NextKind is { } known ? $" ({NpaTextReport.Name(known)})" : "";
        TimeSpan left = TimeSpan.FromSeconds(Math.Round((next - now) / 1e9));
        return left >= TimeSpan.Zero ? $"next cleanup{kind} in {Text(left)}" : $"next cleanup{kind} was due {Text(-left)} ago";
    }

    private static string Text(TimeSpan time) => time.TotalMinutes < 1 ? $"{time.Seconds} s"
        : time.TotalHours < 1 ? $"{time.Minutes} min {time.Seconds} s"
        : $"{(int)time.TotalHours} h {time.Minutes} min";

    /// <summary>Cycles that are over: another has begun behind them, or their last line has come.</summary>
    private void Show()
    {
        lock (_gate)
        {
            IReadOnlyList<NpaCycle> cycles = _log.Cycles;
            while (_shown < cycles.Count && (_shown < cycles.Count - 1 || cycles[_shown].End is not null))
            {
                if (context.ErrorIsTerminal)
                    context.Error.Write(Clear);
                Print(cycles[_shown++]);
            }

            _schedule = CycleSchedule.Of(cycles, period); // the timer must not read the cycles while lines are taken
            DrawLocked();
        }
    }

    private void Print(NpaCycle cycle)
    {
        if (asJson)
            NpaJsonReport.WriteCycle(context.Output, cycle);
        else
            context.Print(NpaTextReport.CycleLine(cycle));
        context.Output.Flush();
    }

    private void Draw()
    {
        lock (_gate)
            DrawLocked();
    }

    private void DrawLocked()
    {
        if (context.ErrorIsTerminal)
            context.Error.Write(Clear + Countdown(_schedule, context.Time.UnixNanoseconds()));
    }

    private int Conclude()
    {
        if (context.ErrorIsTerminal)
            context.Error.Write(Clear);
        string source = file == LogFiles.StandardInput ? "standard input" : file;
        if (_log.CleanupLines == 0)
        {
            context.FailLines(source, NpaFindings.WhyNothing(_log));
            return ExitCode.Failed;
        }

        foreach (NpaCycle cycle in _log.Cycles.Skip(_shown))
            Print(cycle);
        NpaFindings findings = new(source, _log, CycleSchedule.Of(_log.Cycles, period), period, FlowRecords: null);
        if (asJson)
        {
            NpaJsonReport.WriteEnd(context.Output, findings);
            return ExitCode.Done;
        }

        StringWriter text = new() { NewLine = "\n" };
        NpaTextReport.WriteEnd(text, findings);
        context.Output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        return ExitCode.Done;
    }
}
