using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>The outcome, for people and for programs.</summary>
internal static class RaceReport
{
    private static readonly string[] Titles =
        ["cleaner", "stale entries removed", "tuples reused", "live connections", "cut", "recovered", "restored", "packets dropped"];

    /// <summary>What is the same for all of them.</summary>
    internal static string Terms(RaceOptions options)
    {
        string schedule = options.IsNatural
            ? Format($"at random moments within {2 * RaceOptions.Interval.TotalMilliseconds:0} ms; no cleaner is held up")
            : "at the worst moment, the same for all:\n"
                + "race: after the cleaner's last look at the table, right before its delete call (--natural: at random moments)";
        return Format($"""
            race: snapshot and two-miss are the policy agent's algorithms, written again from its source; ours is this service itself
            race: each has a node of its own; they run at the same time, with the same plan (seed {options.Seed})
            race: {options.Rounds} rounds of {options.Connections} closed connections; half of their tuples are used again {schedule}
            """);
    }

    /// <summary>A table, and the story of a cut connection of each cleaner that cut any.</summary>
    internal static string Text(IReadOnlyList<RaceResult> results)
    {
        string[][] rows = [Titles, .. results.Select(Row)];
        int[] widths = [.. Titles.Select((_, column) => rows.Max(row => row[column].Length))];
        StringBuilder text = new();
        foreach (string[] row in rows)
        {
            text.Append(row[0].PadRight(widths[0]));
            for (int column = 1; column < row.Length; column++)
                text.Append("  ").Append(row[column].PadLeft(widths[column]));
            text.Append('\n');
        }

        text.Append(Format($"cut: in {RaceOptions.Patience.TotalSeconds:0} s a client received nothing of what its server had pushed; "));
        text.Append("recovered: it came once the client itself had sent\n");
        foreach (RaceResult result in results.Where(static result => result.Restored > 0))
        {
            text.Append(Format($"restored: {result.Cleaner} asked the kernel again after each deletion, put {result.Restored} back; "));
            text.Append(Format($"none was absent for more than {result.LongestAbsence.TotalMilliseconds:0.000} ms\n"));
        }

        foreach (RaceResult result in results.Where(static result => result.Story is not null))
            text.Append(Format($"\none connection that {result.Cleaner} cut:\n")).AppendJoin('\n', result.Story!).Append('\n');
        return text.ToString();
    }

    /// <summary>One object, one line a cleaner.</summary>
    internal static void WriteJson(Stream output, RaceResult result)
    {
        using (Utf8JsonWriter json = new(output))
        {
            json.WriteStartObject();
            json.WriteString("cleaner", result.Cleaner);
            json.WriteNumber("stale", result.Stale);
            json.WriteNumber("stale_removed", result.StaleRemoved);
            json.WriteNumber("reused", result.Reused);
            json.WriteNumber("live", result.Live);
            json.WriteNumber("cut", result.Cut);
            json.WriteNumber("cut_while_tracked", result.CutWhileTracked);
            json.WriteNumber("recovered", result.Recovered);
            json.WriteNumber("restored", result.Restored);
            json.WriteNumber("longest_absence_us", (long)result.LongestAbsence.TotalMicroseconds);
            json.WriteNumber("packets_dropped", result.Dropped);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static string[] Row(RaceResult result) =>
    [
        result.Cleaner,
        Format($"{result.StaleRemoved} of {result.Stale}"),
        Format($"{result.Reused}"),
        Format($"{result.Live}"),
        Format($"{result.Cut}"),
        Format($"{result.Recovered} of {result.Cut}"),
        Format($"{result.Restored}"),
        Format($"{result.Dropped}"),
    ];

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
