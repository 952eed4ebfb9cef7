namespace ConntrackStream.Service.Summary;

/// <summary>
/// What fills a table, from its figures. Each finding names those that speak for it; several may be right, and none is a proof.
/// </summary>
internal static class TableFindings
{
    /// <summary>Of all flows: less is no reason for a full table.</summary>
    internal const double LeastShare = 0.2;

    internal const int LeastFlows = 100;

    /// <summary>Of a group's flows: so many by one source, to one host or between two hosts are "most".</summary>
    private const double Most = 0.5;

    /// <summary>Of a group's flows: who has less is not named.</summary>
    private const double LeastNamed = 0.01;

    /// <summary>The greatest first.</summary>
    internal static IReadOnlyList<Finding> Of(TableTally tally, TableReading now) =>
        [.. All(tally, now).OfType<Finding>().OrderByDescending(static finding => finding.Flows)];

    private static IEnumerable<Finding?> All(TableTally tally, TableReading now)
    {
        if (Matters(tally.CloseWait, tally))
            yield return CloseWait(tally, now);
        if (Matters(tally.UnansweredTcp, tally))
            yield return UnansweredTcp(tally);
        if (Matters(tally.DnsFlows, tally))
            yield return Dns(tally);
        if (Matters(tally.UnansweredUdp, tally))
            yield return UnansweredUdp(tally);
        if (Matters(tally.IdleFlows, tally))
            yield return Idle(tally, now);
        yield return OneClient(tally);
    }

    private static bool Matters(FlowGroup group, TableTally tally) =>
        group.Flows >= LeastFlows && group.Flows >= LeastShare * tally.Flows;

    private static Finding CloseWait(TableTally tally, TableReading now)
    {
        HeavyHitter<ServiceKey> service = tally.CloseWait.Service;
        string timeout = now.CloseWaitTimeout is { } seconds ? Figure.Text($"; the entry stays {seconds.TotalSeconds:0} s") : "";
        return new Finding(
            "close_wait_leak",
            tally.CloseWait.Flows,
            $"{Of(tally.CloseWait, tally)} are in CLOSE_WAIT: one end has closed, the program at the other has not (it leaks sockets); "
                + $"most to {Named(service, tally.CloseWait)}{timeout}");
    }

    private static Finding UnansweredTcp(TableTally tally)
    {
        FlowGroup group = tally.UnansweredTcp;
        HeavyHitter<PairKey> pair = group.Pair;
        HeavyHitter<HostKey> source = group.Source, destination = group.Destination;
        string what = $"{Of(group, tally)} are TCP without an answer";
        if (pair.AtLeast >= Most * group.Flows && group.Service.Weight < Most * group.Flows)
            return new Finding(
                "port_scan", group.Flows,
                $"{what}, {Number(pair)} of them from {pair.Key.Source} to many ports of {pair.Key.Destination}: a port scan");
        if (source.AtLeast >= Most * group.Flows && pair.Weight < Most * group.Flows)
            return new Finding(
                "syn_scan", group.Flows, $"{what}, {Number(source)} of them from {source.Key} to many hosts: a scan of networks");
        if (destination.AtLeast >= Most * group.Flows)
            return new Finding(
                "syn_flood", group.Flows,
                $"{what}, {Number(destination)} of them to {destination.Key} (most to {group.Service.Key}): it is down or flooded");
        return new Finding("unanswered_tcp", group.Flows, $"{what}, from many hosts to many: a route or a firewall drops the answers");
    }

    private static Finding Dns(TableTally tally)
    {
        HeavyHitter<HostKey> source = tally.DnsFlows.Source, server = tally.DnsFlows.Destination;
        return new Finding(
            "dns",
            tally.DnsFlows.Flows,
            $"{Of(tally.DnsFlows, tally)} are DNS (port 53): each query is a flow; most from {Named(source, tally.DnsFlows)} "
                + $"and to {Named(server, tally.DnsFlows)}; a cache beside the clients, or no tracking for port 53 (notrack), makes them "
                + "few");
    }

    private static Finding UnansweredUdp(TableTally tally)
    {
        HeavyHitter<HostKey> source = tally.UnansweredUdp.Source;
        HeavyHitter<ServiceKey> service = tally.UnansweredUdp.Service;
        return new Finding(
            "udp_flood",
            tally.UnansweredUdp.Flows,
            $"{Of(tally.UnansweredUdp, tally)} are UDP without an answer: a flood, a scan or one-way traffic such as syslog; most from "
                + $"{Named(source, tally.UnansweredUdp)} and to {Named(service, tally.UnansweredUdp)}");
    }

    private static Finding Idle(TableTally tally, TableReading now)
    {
        HeavyHitter<ServiceKey> service = tally.IdleFlows.Service;
        string timeout = now.EstablishedTimeout is { } time ? Figure.Time(time) : "the timeout";
        return new Finding(
            "idle_established",
            tally.IdleFlows.Flows,
            $"{Of(tally.IdleFlows, tally)} are ESTABLISHED without a packet for {Figure.Time(TableTally.Idle)} or longer: resting, or "
                + $"their ends are gone, and the entries stay for {timeout}; most to {Named(service, tally.IdleFlows)}");
    }

    private static Finding? OneClient(TableTally tally)
    {
        if (tally.SourcesByFlows.Top(1) is not [{ } first] || first.AtLeast < LeastFlows || first.AtLeast < Most * tally.Flows)
            return null;
        return new Finding(
            "one_client",
            (long)first.Weight,
            $"{Figure.Share(first.Weight, tally.Flows)} of the flows come from one host, {first.Key} ({Number(first)})");
    }

    /// <summary>Many, where the one with the most has next to none of them.</summary>
    private static string Named<TKey>(HeavyHitter<TKey> hitter, FlowGroup group)
        where TKey : struct =>
        hitter.AtLeast < LeastNamed * group.Flows ? "many" : $"{hitter.Key} ({Number(hitter)})";

    private static string Number<TKey>(HeavyHitter<TKey> hitter)
        where TKey : struct =>
        Figure.Text($"{(hitter.Error > 0 ? "≤ " : "")}{hitter.Weight}");

    private static string Of(FlowGroup group, TableTally tally) =>
        Figure.Text($"{group.Flows} flows ({Figure.Share(group.Flows, tally.Flows)})");
}
