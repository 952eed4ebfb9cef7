using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>Attributes of records with few values, each as whole bytes.</summary>
internal static class KnownAttributes
{
    /// <summary>LogRecord.attributes</summary>
    internal const int Field = 6;

    internal static readonly byte[] IPv4 = Text(OtlpFields.NetworkType, "ipv4"u8), IPv6 = Text(OtlpFields.NetworkType, "ipv6"u8);

    /// <summary>By protocol number; empty for a protocol that conntrack has no name for.</summary>
    internal static readonly byte[][] Transports = [.. Protocols().Select(static protocol => protocol.Utf8Name().IsEmpty
        ? []
        : Text(OtlpFields.NetworkTransport, Encoding.ASCII.GetBytes(protocol.Name())))];

    /// <summary>By protocol number: <c>tcp</c> or, for what has no name, <c>ip 99</c>.</summary>
    internal static readonly byte[][] Protocol = [.. Protocols().Select(static protocol => Encoding.ASCII.GetBytes(
        protocol.Utf8Name().IsEmpty ? FormattableString.Invariant($"ip {(byte)protocol}") : protocol.Name()))];

    /// <summary>By <see cref="FlowDirection"/>.</summary>
    internal static readonly byte[][] Directions =
        [.. Enum.GetValues<FlowDirection>().Order().Select(static one => Text(OtlpFields.Direction, RecordNames.Of(one)))];

    /// <summary>By <see cref="FlowOrigin"/>.</summary>
    internal static readonly byte[][] Origins =
        [.. Enum.GetValues<FlowOrigin>().Order().Select(static one => Text(OtlpFields.Origin, RecordNames.Of(one)))];

    /// <summary>By <see cref="EventTap.Model.TcpState"/>; empty for one without a name.</summary>
    internal static readonly byte[][] TcpStates = [.. Enumerable.Range(0, 256).Select(static number => (TcpState)number)
        .Select(static state => state.Utf8Name().IsEmpty ? [] : Text(OtlpFields.TcpState, state.Utf8Name()))];

    private static readonly byte[][] NatTypes = [.. Enumerable.Range(0, 4)
        .Select(static bits => Text(OtlpFields.NatType, EcsNames.OfNat((bits & 1) != 0, (bits & 2) != 0)))];

    internal static byte[] NatType(bool source, bool destination) => NatTypes[(source ? 1 : 0) | (destination ? 2 : 0)];

    internal static byte[] Text(ulong bit, ReadOnlySpan<byte> value) => AttributeBytes.Text(Field, OtlpFields.NameOf(bit), value);

    private static IEnumerable<IpProtocol> Protocols() => Enumerable.Range(0, 256).Select(static number => (IpProtocol)number);
}
