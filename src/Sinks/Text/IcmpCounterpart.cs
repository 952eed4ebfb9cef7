using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// The kernel's invmap: request and reply of echo, timestamp, information and address mask; of ICMPv6 echo and node information.
/// </summary>
internal static class IcmpCounterpart
{
    /// <summary>The type that answers this one, or that it answers; the same for one that has none.</summary>
    internal static byte Of(IpProtocol protocol, byte type) => (protocol, type) switch
    {
        (IpProtocol.Icmp, 8) => 0,
        (IpProtocol.Icmp, 0) => 8,
        (IpProtocol.Icmp, 13 or 15 or 17) => (byte)(type + 1),
        (IpProtocol.Icmp, 14 or 16 or 18) => (byte)(type - 1),
        (IpProtocol.IcmpV6, 128 or 139) => (byte)(type + 1),
        (IpProtocol.IcmpV6, 129 or 140) => (byte)(type - 1),
        _ => type,
    };
}
