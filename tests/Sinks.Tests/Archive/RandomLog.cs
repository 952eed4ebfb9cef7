using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Archive.Who;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>
/// Logs in which everything happens: flows that reach over files, that have no start or no end, that a dump finds again, gaps of all
/// kinds, and what no whole log has: ids that come twice, ends before their starts, other ends under one id, lines that are no records.
/// </summary>
internal static class RandomLog
{
    private const int Seconds = 1000;

    private static readonly string[] Reasons =
        ["overrun", "reconnect", "restart", "sink_queue_full", "events_off", "accounting_off", "records_missing"];

    internal static List<string> Of(Random random)
    {
        List<(double At, string Line)> lines = [(0, Start(249, 0)), (Seconds, Start(248, Seconds))];
        int flows = random.Next(60);
        for (int flow = 1; flow <= flows; flow++)
            AddFlow(lines, random, flow);
        for (int gap = random.Next(4); gap > 0; gap--)
        {
            double from = random.Next(Seconds);
            lines.Add((from + 5, Gap(Reasons[random.Next(Reasons.Length)], from, from + random.Next(60), "7")));
        }

        for (int i = random.Next(4); i > 0; i--)
            lines.Add((random.Next(Seconds), Strange(random)));
        return [.. lines.OrderBy(static line => line.At).Select(static line => line.Line)];
    }

    internal static WhoQuestion Question(Random random)
    {
        (FlowFamily family, IpAddress address) = random.Next(5) switch
        {
            0 => (FlowFamily.IPv4, IpAddress.FromIPv4([198, 51, 100, 7])),
            1 => (FlowFamily.IPv4, IpAddress.FromIPv4([203, 0, 113, 50])),
            2 => (FlowFamily.IPv6, IpAddress.From(System.Net.IPAddress.Parse("2001:db8::5"))),
            _ => (FlowFamily.IPv4, IpAddress.FromIPv4([10, 0, 0, (byte)random.Next(62)])),
        };
        ushort? port = random.Next(3) switch
        {
            0 => null,
            1 => 443,
            _ => (ushort)(random.Next(2) == 0 ? 40000 + random.Next(62) : 32768 + random.Next(62)),
        };
        double second = random.Next(-50, Seconds + 50), within = random.Next(40);
        FlowFilter filter = random.Next(4) == 0 ? FlowFilter.All with { Protocols = [IpProtocol.Udp] } : FlowFilter.All;
        return new WhoQuestion(family, address, port, At(second - within), At(second + within), Reach: null, filter);
    }

    private static void AddFlow(List<(double At, string Line)> lines, Random random, int flow)
    {
        double start = random.Next(Seconds * 100) / 100.0, end = start + (random.Next(4) == 0 ? random.Next(Seconds) : random.Next(30));
        Func<string, string> change = random.Next(8) switch
        {
            0 => static line => line.Replace("\"tcp\",\"proto_num\":6", "\"udp\",\"proto_num\":17", StringComparison.Ordinal),
            1 => line => line.Replace($"\"10.0.0.{flow % 250}\"", "\"2001:db8::5\"", StringComparison.Ordinal)
                .Replace("ipv4", "ipv6", StringComparison.Ordinal).Replace("198.51.100.7", "2001:db8::7", StringComparison.Ordinal)
                .Replace("203.0.113.50", "2001:db8::5", StringComparison.Ordinal),
            2 => line => line.Replace($"\"start\":\"{Time(start)}\",", "", StringComparison.Ordinal), // the kernel keeps no times
            _ => static line => line,
        };
        if (random.Next(10) > 0)
            lines.Add((start, change(Start(flow, start))));
        for (int update = random.Next(3); update > 0; update--)
        {
            double at = start + (random.NextDouble() * (end - start));
            string line = random.Next(4) == 0
                ? Start(flow, start, start, "dump")
                : Update(flow, at, start, (ulong)random.Next(1000));
            lines.Add((at, change(line)));
        }

        if (random.Next(10) > 0)
            lines.Add((end, change(End(flow, start, end))));
        switch (random.Next(20))
        {
            case 0: // its id again
                lines.Add((random.Next(Seconds), change(End(flow, start, random.Next(Seconds)))));
                break;
            case 1:
                lines.Add((random.Next(Seconds), change(Update(flow, random.Next(Seconds), random.Next(Seconds), 1))));
                break;
            case 2: // under other ends
                string other = Start(flow, end).Replace(
                    $"\"10.0.0.{flow % 250}\"", $"\"10.0.0.{random.Next(62)}\"", StringComparison.Ordinal);
                lines.Add((random.Next(Seconds), other));
                break;
            case 3: // an end before its start
                lines.Add((random.Next(Seconds), change(End(flow, random.Next(Seconds), random.Next(Seconds)))));
                break;
            case 4: // another machine with the same ids
                lines.Add((random.Next(Seconds), change(Start(flow, start)).Replace("gw1", "gw2", StringComparison.Ordinal)));
                break;
        }
    }

    private static string Strange(Random random) => random.Next(6) switch
    {
        0 => "{\"v\":1,\"time\":\"x\",\"src\":\"10.0.0.5\"}",
        1 => "garbage",
        2 => $"{{\"v\":1,\"time\":\"{Time(random.Next(Seconds))}\",\"host\":\"gw1\",\"event\":\"refused\",\"dropped\":1}}",
        3 => Start(random.Next(60), 5).Replace("\"flow_id\"", "\"other_id\"", StringComparison.Ordinal),
        4 => Start(random.Next(60), 5).Replace("\"10.0.0.", "\"10.0.00.", StringComparison.Ordinal),
        _ => Gap("overrun", 1, 2)[..^9],
    };
}
