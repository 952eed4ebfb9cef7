using System.Globalization;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>The findings for people.</summary>
internal static class NpaTextReport
{
    internal static void Write(TextWriter output, NpaFindings findings)
    {
        NpaLogReader log = findings.Log;
        Line(output, string.Create(
            CultureInfo.InvariantCulture,
            $"{findings.Source}: {log.Lines} lines; {log.CleanupLines} of conntrack cleanup, {log.Malformed} malformed, "
            + $"{log.Unrelated + log.Mentions} others"));
        output.WriteLine();
        Cycles(output, log.Cycles);
        output.WriteLine();
        Schedule(output, findings);
        Deletes(output, findings);
        if (findings.FlowRecords is not null)
            Judged(output, findings);
    }

    private static void Cycles(TextWriter output, IReadOnlyList<NpaCycle> cycles)
    {
        Line(output, CycleHeading);
        foreach (NpaCycle cycle in cycles)
            Line(output, CycleLine(cycle));
    }

    /// <summary>Of <see cref="CycleLine"/>.</summary>
    internal static string CycleHeading { get; } = $"{"start",-24}  {"end",-24}  {"duration",10}  {"kind",-10}  deletes";

    internal static string CycleLine(NpaCycle cycle)
    {
        string duration = cycle.Duration is { } time ? Seconds(time, "0.000") : "-";
        string deletes = cycle.Kind is NpaCycleKind.Hydrated or NpaCycleKind.Idle && cycle.Deletes == 0
            ? "-"
            : Text($"{cycle.Deletes}");
        string tracked = cycle.Tracked is { } number ? Text($" of {number}") : "";
        string hidden = cycle.Deletes > cycle.LoggedDeletes ? Text($" ({cycle.LoggedDeletes} logged)") : "";
        return $"{Time(cycle.Start),-24}  {Time(cycle.End),-24}  {duration,10}  {Name(cycle.Kind),-10}  {deletes}{tracked}{hidden}";
    }

    /// <summary>The end of what was followed.</summary>
    internal static void WriteEnd(TextWriter output, NpaFindings findings)
    {
        output.WriteLine();
        Schedule(output, findings);
        Deletes(output, findings);
    }

    private static void Schedule(TextWriter output, NpaFindings findings)
    {
        CycleSchedule schedule = findings.Schedule;
        if (schedule.Interval is { } interval)
            Line(output, string.Create(
                CultureInfo.InvariantCulture,
                $"interval  {Seconds(interval.Median)} median ({Seconds(interval.Least)}–{Seconds(interval.Greatest)}, "
                + $"{interval.Count} intervals)"));
        else
            Line(output, string.Create(
                CultureInfo.InvariantCulture,
                $"interval  not to be told from {findings.Log.Cycles.Count} cycle(s) in this log; taken is "
                + $"{Seconds(schedule.Assumed)}: the agent runs each half of its --conntrack-cache-cleanup-period "
                + $"({findings.Period.TotalSeconds:0} s)"));
        string kind = schedule.NextKind is { } next ? $" ({Name(next)})" : "";
        Line(output, $"next      {Time(schedule.Next)}{kind}");
    }

    private static void Deletes(TextWriter output, NpaFindings findings)
    {
        if (findings.DeletesPerCycle is { } spread)
            Line(output, $"deletes   {spread.Median} median a cleaned cycle ({spread.Least}–{spread.Greatest}), {findings.Deletes} in all");
        if (findings.DeletesNotLogged > 0)
            Line(
                output,
                $"          {findings.DeletesNotLogged} of them are not in the log one by one: the agent writes them at level debug only");
    }

    private static void Judged(TextWriter output, NpaFindings findings)
    {
        Line(output, string.Create(
            CultureInfo.InvariantCulture,
            $"flows     alive at the delete: {findings.Count(Verdict.Alive)}, possibly: {findings.Count(Verdict.Possibly)}, "
            + $"not: {findings.Count(Verdict.Dead)}, unknown: {findings.Count(Verdict.Unknown)} "
            + $"(flow log: {findings.FlowRecords} records)"));
        foreach (NpaDelete delete in findings.Hits)
        {
            Line(output, $"  {(delete.Verdict == Verdict.Alive ? "alive" : "possibly"),-8}  {Time(delete.Time?.From)}  {delete.Key}");
            Line(output, $"            flow started {Time(delete.FlowStart)}, ended {Time(delete.FlowEnd)}");
        }

        if (findings.Advice is { } advice)
            Line(output, $"advice    {advice}");
    }

    internal static string Name(NpaCycleKind kind) => kind switch
    {
        NpaCycleKind.Idle => "idle",
        NpaCycleKind.Hydrated => "hydrated",
        NpaCycleKind.Cleaned => "cleaned",
        NpaCycleKind.Failed => "failed",
        _ => "unfinished",
    };

    /// <summary>With milliseconds, as the agent logs.</summary>
    private static string Time(long? time) => time is { } known ? TimestampText.Format(known, digits: 3) : "unknown";

    private static string Seconds(long nanoseconds, string format = "0.###") =>
        Text($"{(nanoseconds / 1e9).ToString(format, CultureInfo.InvariantCulture)} s");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static void Line(TextWriter output, string text) => output.WriteLine(PrintableText.Escape(text));
}
