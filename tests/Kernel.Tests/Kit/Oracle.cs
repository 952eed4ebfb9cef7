using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>What two tables must agree on to be equal: zone, both tuples and the id.</summary>
public readonly record struct OracleFlow(FlowTuple Original, FlowTuple Reply, uint Id)
{
    public static OracleFlow Of(in Flow flow) => new(flow.Original, flow.Reply, flow.Id);

    public override string ToString() => $"{Describe(Original)} / {Describe(Reply)} id={Id}";

    private static string Describe(in FlowTuple tuple) => string.Create(
        CultureInfo.InvariantCulture,
        $"{tuple.Protocol} {tuple.Source.ToIPAddress(tuple.Family)}:{tuple.SourcePort}>"
        + $"{tuple.Destination.ToIPAddress(tuple.Family)}:{tuple.DestinationPort} zone={tuple.Zone}");
}

/// <summary>The kernel's table as another program, <c>conntrack -L -o extended,id</c>, tells it.</summary>
public static class Oracle
{
    /// <summary>Every entry of the namespace.</summary>
    public static HashSet<OracleFlow> Dump(KernelNamespace space)
    {
        Requirements.Tool("conntrack");
        HashSet<OracleFlow> flows = [];
        foreach (string family in (string[])["ipv4", "ipv6"])
        {
            string list = space.Exec("conntrack", "-L", "-f", family, "-o", "extended,id");
            foreach (string line in list.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Assert.True(flows.Add(Parse(line)), $"twice in one dump: {line}");
        }

        return flows;
    }

    /// <summary>Null when equal, else the first few entries on either side only.</summary>
    public static string? Difference(IReadOnlySet<OracleFlow> kernel, IReadOnlySet<OracleFlow> other)
    {
        List<OracleFlow> missing = [.. kernel.Where(flow => !other.Contains(flow))],
            ghosts = [.. other.Where(flow => !kernel.Contains(flow))];
        return missing.Count + ghosts.Count == 0
            ? null
            : $"kernel {kernel.Count}, other {other.Count}; {missing.Count} missing: {Some(missing)}; "
                + $"{ghosts.Count} ghosts: {Some(ghosts)}";
    }

    /// <summary>
    /// Reads one line, such as <c>ipv4 2 udp 17 29 src=… dst=… sport=… dport=… [UNREPLIED] src=… … mark=0 zone=5 use=1 id=7</c>.
    /// </summary>
    public static OracleFlow Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        FlowTuple blank = new()
        {
            Family = (FlowFamily)byte.Parse(words[1], CultureInfo.InvariantCulture),
            Protocol = (IpProtocol)byte.Parse(words[3], CultureInfo.InvariantCulture),
        };
        FlowTuple original = blank, reply = blank;
        uint id = 0;
        int sources = 0;
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                continue;
            string name = word[..equals], value = word[(equals + 1)..];
            if (name is "src")
                sources++;
            switch (name)
            {
                case "id" when word == words[^1]: id = uint.Parse(value, CultureInfo.InvariantCulture); break;
                case "zone": original.Zone = reply.Zone = ushort.Parse(value, CultureInfo.InvariantCulture); break;
                case "zone-orig": original.Zone = ushort.Parse(value, CultureInfo.InvariantCulture); break;
                case "zone-reply": reply.Zone = ushort.Parse(value, CultureInfo.InvariantCulture); break;
                default: Set(ref sources == 1 ? ref original : ref reply, name, value); break;
            }
        }

        return new OracleFlow(original, reply, id);
    }

    private static void Set(ref FlowTuple tuple, string name, string value)
    {
        switch (name)
        {
            case "src": tuple.Source = IpAddress.From(IPAddress.Parse(value)); break;
            case "dst": tuple.Destination = IpAddress.From(IPAddress.Parse(value)); break;
            case "sport" or "id": tuple.SourcePort = ushort.Parse(value, CultureInfo.InvariantCulture); break;
            case "dport": tuple.DestinationPort = ushort.Parse(value, CultureInfo.InvariantCulture); break;
            case "type": tuple.DestinationPort |= (ushort)(byte.Parse(value, CultureInfo.InvariantCulture) << 8); break;
            case "code": tuple.DestinationPort |= byte.Parse(value, CultureInfo.InvariantCulture); break;
            case "srckey": tuple.SourcePort = Convert.ToUInt16(value, 16); break;
            case "dstkey": tuple.DestinationPort = Convert.ToUInt16(value, 16); break;
        }
    }

    private static string Some(List<OracleFlow> flows) => string.Join(", ", flows.Take(5));
}
