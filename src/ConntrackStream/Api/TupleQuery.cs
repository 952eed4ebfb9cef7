using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Sinks.Text;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>One tuple from a query string: what is in a packet's headers, in either direction of the flow.</summary>
internal static class TupleQuery
{
    private static readonly string[] Names = ["proto", "src", "dst", "sport", "dport", "icmp_type", "icmp_code", "icmp_id", "zone"];

    internal static bool TryParse(IQueryCollection query, out FlowTuple tuple, out QueryFault? fault)
    {
        tuple = default;
        fault = query.Keys.FirstOrDefault(static key => !Names.Contains(key, StringComparer.Ordinal)) is { } unknown
            ? QueryFault.Unknown(unknown, Names)
            : QueryFault.Repeated(query)
                ?? ReadAddresses(query, ref tuple) ?? ReadProtocol(query, ref tuple) ?? ReadPorts(query, ref tuple);
        return fault is null;
    }

    /// <summary>The same with source and destination exchanged. An ICMP question becomes its answer, and an answer its question.</summary>
    internal static FlowTuple Inverse(in FlowTuple tuple)
    {
        FlowTuple inverse = tuple;
        (inverse.Source, inverse.Destination) = (tuple.Destination, tuple.Source);
        if (!tuple.IsIcmp)
            (inverse.SourcePort, inverse.DestinationPort) = (tuple.DestinationPort, tuple.SourcePort);
        else
            inverse.DestinationPort = (ushort)(IcmpCounterpart.Of(tuple.Protocol, tuple.IcmpType) << 8 | tuple.IcmpCode);
        return inverse;
    }

    private static QueryFault? ReadAddresses(IQueryCollection query, ref FlowTuple tuple)
    {
        if (!IPAddress.TryParse(One(query, "src"), out IPAddress? source))
            return QueryFault.Bad("src", One(query, "src"), "an address (192.0.2.1, 2001:db8::1)");
        if (!IPAddress.TryParse(One(query, "dst"), out IPAddress? destination) || destination.AddressFamily != source.AddressFamily)
            return QueryFault.Bad("dst", One(query, "dst"), "an address of the same family as src");
        tuple.Family = source.AddressFamily == AddressFamily.InterNetworkV6 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        (tuple.Source, tuple.Destination) = (IpAddress.From(source), IpAddress.From(destination));
        return null;
    }

    private static QueryFault? ReadProtocol(IQueryCollection query, ref FlowTuple tuple)
    {
        if (One(query, "proto") is null)
            return QueryFault.Bad("proto", value: null, "a protocol's name (tcp, udp, icmp), or a number from 0 to 255");
        if (!FilterText.TryParseProtocol(One(query, "proto"), out tuple.Protocol, out string? error))
            return new QueryFault(ProblemType.BadParameter, "proto", $"proto: {error}");
        if (query.ContainsKey("zone") && !FilterText.TryParseZone(One(query, "zone"), out tuple.Zone, out error))
            return new QueryFault(ProblemType.BadParameter, "zone", $"zone: {error}");
        return null;
    }

    private static QueryFault? ReadPorts(IQueryCollection query, ref FlowTuple tuple)
    {
        string[] needed = tuple.IsIcmp ? ["icmp_type", "icmp_code", "icmp_id"] : tuple.Protocol.HasPortsOrKeys() ? ["sport", "dport"] : [];
        foreach (string name in query.Keys.Where(static key => key is not ("proto" or "src" or "dst" or "zone")))
        {
            if (!needed.Contains(name, StringComparer.Ordinal))
                return new QueryFault(ProblemType.BadParameter, name, $"{name}: this protocol has none; leave it out");
        }

        Dictionary<string, ushort> values = new(StringComparer.Ordinal);
        foreach (string name in needed)
        {
            int most = name is "icmp_type" or "icmp_code" ? byte.MaxValue : ushort.MaxValue;
            if (!ushort.TryParse(One(query, name), NumberStyles.None, CultureInfo.InvariantCulture, out ushort value) || value > most)
                return QueryFault.Bad(name, One(query, name), $"a number from 0 to {most}");
            values[name] = value;
        }

        if (tuple.IsIcmp)
        {
            tuple.SourcePort = values["icmp_id"];
            tuple.DestinationPort = (ushort)(values["icmp_type"] << 8 | values["icmp_code"]);
        }
        else if (needed.Length > 0)
        {
            (tuple.SourcePort, tuple.DestinationPort) = (values["sport"], values["dport"]);
        }

        return null;
    }

    private static string? One(IQueryCollection query, string name) => query[name].FirstOrDefault();
}
