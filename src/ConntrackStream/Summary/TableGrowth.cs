namespace ConntrackStream.Service.Summary;

/// <summary>How the table changes, from two looks at it.</summary>
/// <param name="Seconds">Between the two.</param>
/// <param name="EntriesPerSecond">Entries more; below 0 when it shrinks.</param>
/// <param name="NewPerSecond">Flows that began; null where events are off.</param>
/// <param name="Reading">The second look.</param>
internal sealed record TableGrowth(double Seconds, double EntriesPerSecond, double? NewPerSecond, TableReading Reading)
{
    /// <summary>A table whose entries the two looks cannot tell apart from a steady one: what a second changes by chance.</summary>
    private const double Steady = 1;

    internal static TableGrowth Between(TableReading before, TableReading after, TimeProvider time)
    {
        double seconds = Math.Max(time.GetElapsedTime(before.At, after.At).TotalSeconds, 0.001);
        double? began = after.NewFlows - before.NewFlows is { } flows ? flows / seconds : null;
        return new TableGrowth(seconds, (after.Entries - before.Entries) / seconds, began, after);
    }

    /// <summary>How long an entry is in the table on average: entries / new ones a second (Little's law); null when none begins.</summary>
    internal double? MeanLifeSeconds => NewPerSecond is > 0 and { } began && Reading.Entries > 0 ? Reading.Entries / began : null;

    /// <summary>Null when the table does not grow, or has no limit.</summary>
    internal double? SecondsUntilFull => EntriesPerSecond >= Steady && Reading.Max > 0
        ? Math.Max(Reading.Max - Reading.Entries, 0) / EntriesPerSecond
        : null;
}
