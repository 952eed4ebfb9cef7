using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>Flows, and parts of members, from a small universe, so that many of them meet.</summary>
internal sealed class RandomSetFlows(int seed, bool ipv6, int hosts = 256)
{
    private static readonly IpProtocol[] _protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Icmp, IpProtocol.Gre, IpProtocol.Sctp];
    private readonly Random _random = new(seed);

    internal FlowFamily Family => ipv6 ? FlowFamily.IPv6 : FlowFamily.IPv4;

    internal int Next(int below) => _random.Next(below);

    /// <summary>From two /24 or /120 blocks.</summary>
    internal string Address() => ipv6
        ? string.Create(CultureInfo.InvariantCulture, $"2001:db8::{_random.Next(2)}:{_random.Next(hosts):x}")
        : string.Create(CultureInfo.InvariantCulture, $"10.0.{_random.Next(2)}.{_random.Next(hosts)}");

    /// <param name="shortest">Host bits at most.</param>
    internal string Net(int shortest = 14)
    {
        int full = ipv6 ? 128 : 32;
        int length = _random.Next(full - shortest, full + 1);
        return $"{Address()}/{length.ToString(CultureInfo.InvariantCulture)}";
    }

    internal IpProtocol Protocol()
    {
        IpProtocol protocol = _protocols[_random.Next(_protocols.Length)];
        return protocol == IpProtocol.Icmp && ipv6 ? IpProtocol.IcmpV6 : protocol;
    }

    internal ushort Port() => (ushort)(80 + _random.Next(4));

    internal uint Mark() => (uint)_random.Next(8) << 8;

    internal FlowQuestion Flow()
    {
        IpProtocol protocol = Protocol();
        return new FlowQuestion(new FlowTuple
        {
            Family = Family,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse(Address())),
            Destination = IpAddress.From(IPAddress.Parse(Address())),
            SourcePort = protocol == IpProtocol.Gre ? (ushort)7 : Port(),
            DestinationPort =
                protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 ? IcmpPort() : protocol == IpProtocol.Gre ? (ushort)9 : Port(),
        }, Mark(), null);
    }

    /// <summary>As ipset takes it in a member.</summary>
    internal string ProtocolAndPort() => ProtocolAndPort(Protocol(), IcmpPort(), Port());

    internal static string ProtocolAndPort(in FlowTuple flow, bool source) =>
        ProtocolAndPort(flow.Protocol, flow.DestinationPort, source ? flow.SourcePort : flow.DestinationPort);

    private static string ProtocolAndPort(IpProtocol protocol, ushort icmp, ushort port) => protocol switch
    {
        IpProtocol.Icmp => string.Create(CultureInfo.InvariantCulture, $"icmp:{icmp >> 8}/{icmp & 255}"),
        IpProtocol.IcmpV6 => string.Create(CultureInfo.InvariantCulture, $"icmpv6:{icmp >> 8}/{icmp & 255}"),
        IpProtocol.Gre => "gre:0",
        _ => string.Create(CultureInfo.InvariantCulture, $"{protocol.ToString().ToLowerInvariant()}:{port}"),
    };

    private ushort IcmpPort() => (ushort)(_random.Next(8, 10) << 8 | _random.Next(2));
}
