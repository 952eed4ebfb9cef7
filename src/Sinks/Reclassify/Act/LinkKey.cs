using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>
/// What a flow and its successor have in common. ICMP and UDP come back with the same ports; a TCP client that reconnects has another
/// source port.
/// </summary>
internal readonly record struct LinkKey(
    IpAddress Source, IpAddress Destination, ushort DestinationPort, IpProtocol Protocol, FlowFamily Family, ushort Zone)
{
    internal static LinkKey Of(in FlowTuple original) =>
        new(original.Source, original.Destination, original.DestinationPort, original.Protocol, original.Family, original.Zone);
}
