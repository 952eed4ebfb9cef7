namespace ConntrackStream.Service.Summary;

/// <summary>A summary for people.</summary>
internal static class SummaryText
{
    internal static IEnumerable<string> Lines(SummaryRecord summary)
    {
        TableRecord table = summary.Table;
        yield return Figure.Text($"table     {table.Entries} of {table.Max} entries ({table.FillPercent:0.#} %), {table.Buckets} buckets")
            + $", {Figure.Bytes((double)table.Entries * table.EntryBytes)}";
        yield return $"growth    {Growth(table)}";
        yield return Figure.Text($"flows     {summary.Flows}: {summary.Assured} assured ({Share(summary.Assured)}), ")
            + Figure.Text($"{summary.Unreplied} without an answer ({Share(summary.Unreplied)}), {Figure.Bytes(summary.Bytes)}")
            + (summary.Uncounted > 0 ? Figure.Text($"; {summary.Uncounted} without counters (nf_conntrack_acct)") : "");
        foreach (IGrouping<string, StateRecord> protocol in summary.States.GroupBy(
                     static state => state.Proto, StringComparer.Ordinal))
            yield return $"{protocol.Key,-9} {Figure.Text($"{protocol.Sum(static state => state.Flows)}")}: {States(protocol)}";
        yield return $"nat       {string.Join(", ", summary.Nat.Select(static nat => Figure.Text($"{nat.Nat} {nat.Flows}")))}";
        foreach (string line in Top("source", summary.Top.Sources).Concat(Top("destination", summary.Top.Destinations))
                     .Concat(Top("pair", summary.Top.Pairs)))
            yield return line;
        yield return "";
        foreach (Finding finding in summary.Findings)
            yield return $"likely    {finding.Name}: {finding.Detail}";
        if (summary.Findings.Count == 0)
            yield return "likely    nothing stands out";
        yield return "";
        foreach (Advice advice in summary.Advice)
            yield return $"{(advice.Remedy is null ? "ok       " : "advice   ")} {advice.Subject}: {advice.Finding}"
                + (advice.Remedy is null ? "" : $" → {advice.Remedy}");

        string Share(long part) => Figure.Share(part, summary.Flows);
    }

    private static string Growth(TableRecord table)
    {
        string growth = Figure.Text($"{table.EntriesPerSecond:+0.#;-0.#;0} entries/s in {table.Interval:0.#} s");
        if (table.NewPerSecond is { } began)
            growth += Figure.Text($" ({began:0.#} flows began, {table.EndedPerSecond:0.#} ended a second)");
        if (table.MeanLife is { } life)
            growth += $"; mean life {Figure.Time(life)}";
        return table.SecondsUntilFull is { } left ? $"{growth}; full in {Figure.Time(left)}" : growth;
    }

    private static string States(IEnumerable<StateRecord> states) => string.Join(
        ", ", states.OrderByDescending(static state => state.Flows).Select(static state => Figure.Text($"{state.State} {state.Flows}")));

    private static IEnumerable<string> Top(string what, TopPair top)
    {
        yield return "";
        string note = top.Exact ? "" : " (≤: too high by the number behind ±, at most)";
        yield return $"{$"top {what} by flows",-60} top {what} by bytes{note}";
        for (int i = 0; i < Math.Max(top.ByFlows.Count, top.ByBytes.Count); i++)
        {
            string flows = i < top.ByFlows.Count ? Hitter(top.ByFlows[i], static flows => Figure.Text($"{flows}")) : "";
            string bytes = i < top.ByBytes.Count ? Hitter(top.ByBytes[i], static bytes => Figure.Bytes(bytes)) : "";
            yield return $"  {flows,-58}   {bytes}".TrimEnd();
        }
    }

    private static string Hitter(HitterRecord hitter, Func<ulong, string> number)
    {
        string name = (hitter.Src, hitter.Dst) switch
        {
            ({ } source, { } destination) => $"{source} → {destination}",
            (null, { } destination) => destination,
            var (source, _) => source ?? "",
        };
        return $"{(hitter.Error > 0 ? "≤ " : "")}{number(hitter.Weight)}{(hitter.Error > 0 ? $" ± {number(hitter.Error)}" : "")}  {name}";
    }
}
