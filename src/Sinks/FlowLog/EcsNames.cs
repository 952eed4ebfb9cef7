using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Values of the Elastic Common Schema, as UTF-8.</summary>
internal static class EcsNames
{
    /// <summary><c>"transport":"tcp",</c> by protocol number; empty for a protocol that conntrack has no name for.</summary>
    internal static readonly byte[][] Transports = [.. Protocols().Select(static protocol => Keyword(protocol) is { Length: > 0 } keyword
        ? Encoding.ASCII.GetBytes($"\"transport\":\"{keyword}\",")
        : [])];

    /// <summary><c>"iana_number":"6",</c> by protocol number: the schema has it as a keyword.</summary>
    internal static readonly byte[][] Numbers = [.. Protocols().Select(static protocol =>
        Encoding.ASCII.GetBytes(FormattableString.Invariant($"\"iana_number\":\"{(byte)protocol}\",")))];

    /// <summary>The schema's words for a view from the network's perimeter: <c>FlowLog:LocalNetworks</c> is what lies within.</summary>
    internal static ReadOnlySpan<byte> Of(FlowDirection direction) => direction switch
    {
        FlowDirection.Ingress => "\"direction\":\"inbound\","u8,
        FlowDirection.Egress => "\"direction\":\"outbound\","u8,
        FlowDirection.Internal => "\"direction\":\"internal\","u8,
        FlowDirection.Forward => "\"direction\":\"external\","u8,
        _ => "\"direction\":\"unknown\","u8,
    };

    /// <summary>As the format json has it.</summary>
    internal static ReadOnlySpan<byte> OfNat(bool source, bool destination) => (source, destination) switch
    {
        (false, false) => "none"u8,
        (true, false) => "snat"u8,
        (false, true) => "dnat"u8,
        _ => "both"u8,
    };

    private static IEnumerable<IpProtocol> Protocols() => Enumerable.Range(0, 256).Select(static number => (IpProtocol)number);

    /// <summary>IANA's, in lower case; conntrack's name is the same but for one.</summary>
    private static string Keyword(IpProtocol protocol) => protocol switch
    {
        _ when protocol.Utf8Name().IsEmpty => "",
        IpProtocol.IcmpV6 => "ipv6-icmp",
        _ => protocol.Name(),
    };
}
