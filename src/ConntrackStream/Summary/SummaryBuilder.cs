namespace ConntrackStream.Service.Summary;

/// <summary>From tally and figures to the record.</summary>
internal static class SummaryBuilder
{
    /// <param name="source"><c>kernel</c> or <c>live</c>.</param>
    /// <param name="networkNamespace">Its name; null for the own.</param>
    /// <param name="top">Entries of each list.</param>
    internal static SummaryRecord Build(
        TableTally tally, TableGrowth growth, DateTimeOffset time, string source, string? networkNamespace, int top) => new()
        {
            Time = time,
            Source = source,
            Netns = networkNamespace,
            Flows = tally.Flows,
            Bytes = tally.Bytes,
            Uncounted = tally.Uncounted,
            Assured = tally.Assured,
            Unreplied = tally.Unreplied,
            Table = Table(growth),
            States = [
                .. tally.States.Read().Where(static state => state.Flows > 0)
                    .Select(static state => new StateRecord(state.Protocol, state.State, state.Flows))],
            Nat =
            [
                new NatRecord("none", tally.Nat(source: false, destination: false)),
                new NatRecord("snat", tally.Nat(source: true, destination: false)),
                new NatRecord("dnat", tally.Nat(source: false, destination: true)),
                new NatRecord("both", tally.Nat(source: true, destination: true)),
            ],
            Top = new TopRecord(
                Hosts(tally.SourcesByFlows, tally.SourcesByBytes, top, isSource: true),
                Hosts(tally.DestinationsByFlows, tally.DestinationsByBytes, top, isSource: false),
                Pairs(tally.PairsByFlows, tally.PairsByBytes, top)),
            Findings = TableFindings.Of(tally, growth.Reading),
            Advice = [.. TableAdvice.Of(growth, tally), .. RefusalAdvice.Of(growth.Reading.Refusals)],
        };

    private static TableRecord Table(TableGrowth growth)
    {
        TableReading now = growth.Reading;
        double? ended = growth.NewPerSecond is { } began ? Math.Max(began - growth.EntriesPerSecond, 0) : null;
        return new TableRecord(
            now.Entries, now.Max, Round(now.FillPercent), now.Buckets, Round(growth.Seconds), Round(growth.EntriesPerSecond),
            Round(growth.NewPerSecond), Round(ended), Round(growth.MeanLifeSeconds), Round(growth.SecondsUntilFull),
            now.EntryBytes + TableMemory.ExtensionBytes, now.Refusals);
    }

    private static TopPair Hosts(HeavyHitters<HostKey> byFlows, HeavyHitters<HostKey> byBytes, int top, bool isSource)
    {
        return new TopPair(byFlows.IsExact && byBytes.IsExact, Records(byFlows), Records(byBytes));

        IReadOnlyList<HitterRecord> Records(HeavyHitters<HostKey> heaviest) => [
            .. heaviest.Top(top).Select(one => isSource
                ? new HitterRecord(one.Key.ToString(), Dst: null, one.Weight, one.Error)
                : new HitterRecord(Src: null, one.Key.ToString(), one.Weight, one.Error))];
    }

    private static TopPair Pairs(HeavyHitters<PairKey> byFlows, HeavyHitters<PairKey> byBytes, int top)
    {
        return new TopPair(byFlows.IsExact && byBytes.IsExact, Records(byFlows), Records(byBytes));

        IReadOnlyList<HitterRecord> Records(HeavyHitters<PairKey> heaviest) => [
            .. heaviest.Top(top).Select(static one =>
                new HitterRecord(one.Key.Source.ToString(), one.Key.Destination.ToString(), one.Weight, one.Error))];
    }

    private static double? Round(double? number) => number is { } known ? Round(known) : null;

    private static double Round(double number) => Math.Round(number, 3);
}
