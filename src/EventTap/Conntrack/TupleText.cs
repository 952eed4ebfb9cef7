using System.Globalization;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>A tuple in words, for messages; as conntrack-tools spell it.</summary>
public static class TupleText
{
    /// <summary>Such as <c>tcp src=10.0.0.1 dst=10.0.0.2 sport=1025 dport=80 zone=5</c>.</summary>
    public static string Describe(in FlowTuple tuple)
    {
        string layer4 = tuple.IsIcmp
            ? string.Create(CultureInfo.InvariantCulture, $"type={tuple.IcmpType} code={tuple.IcmpCode} id={tuple.IcmpId}")
            : string.Create(CultureInfo.InvariantCulture, $"sport={tuple.SourcePort} dport={tuple.DestinationPort}");
        string zone = tuple.Zone == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" zone={tuple.Zone}");
        return $"{DescribeAddresses(tuple)} {layer4}{zone}";
    }

    /// <summary>Such as <c>icmp src=10.0.0.1 dst=10.0.0.2</c>.</summary>
    public static string DescribeAddresses(in FlowTuple tuple) =>
        $"{tuple.Protocol.Name()} src={tuple.Source.ToIPAddress(tuple.Family)} dst={tuple.Destination.ToIPAddress(tuple.Family)}";
}
