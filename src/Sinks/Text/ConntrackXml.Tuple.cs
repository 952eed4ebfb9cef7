using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

public static partial class ConntrackXml
{
    private static void Direction(
        ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, in Flow flow, in FlowTuple tuple, bool oneZone, ulong packets, ulong bytes)
    {
        writer.Literal("<meta direction=\""u8);
        writer.Literal(name);
        writer.Literal("\">"u8);
        Layer(ref writer, "<layer3 protonum=\""u8, (byte)tuple.Family, ConntrackNames.Family(tuple.Family));
        Addresses(ref writer, in tuple);
        writer.Literal("</layer3>"u8);
        Layer(ref writer, "<layer4 protonum=\""u8, (byte)tuple.Protocol, ConntrackNames.Protocol(tuple.Protocol));
        Ports(ref writer, in tuple, tuple.Protocol);
        writer.Literal("</layer4>"u8);
        if (!oneZone && tuple.Zone != 0)
            Number(ref writer, "zone"u8, tuple.Zone);
        if (flow.Has(FlowFields.OriginalCounters)) // of either direction: so the library
        {
            writer.Literal("<counters>"u8);
            Number(ref writer, "packets"u8, packets);
            Number(ref writer, "bytes"u8, bytes);
            writer.Literal("</counters>"u8);
        }

        writer.Literal("</meta>"u8);
    }

    internal static void Layer(ref Utf8Writer writer, scoped ReadOnlySpan<byte> tag, byte number, scoped ReadOnlySpan<byte> name)
    {
        writer.Literal(tag);
        writer.Number((uint)number);
        writer.Literal("\" protoname=\""u8);
        writer.Literal(name);
        writer.Literal("\">"u8);
    }

    internal static void Addresses(ref Utf8Writer writer, in FlowTuple tuple)
    {
        writer.Literal("<src>"u8);
        writer.Address(tuple.Source, tuple.Family);
        writer.Literal("</src><dst>"u8);
        writer.Address(tuple.Destination, tuple.Family);
        writer.Literal("</dst>"u8);
    }

    internal static void Ports(ref Utf8Writer writer, in FlowTuple tuple, IpProtocol protocol)
    {
        if (protocol.HasPorts())
        {
            Number(ref writer, "sport"u8, tuple.SourcePort);
            Number(ref writer, "dport"u8, tuple.DestinationPort);
        }
        else if (protocol == IpProtocol.Gre)
        {
            writer.Literal("<srckey>0x"u8);
            writer.Hex(tuple.SourcePort);
            writer.Literal("</srckey><dstkey>0x"u8);
            writer.Hex(tuple.DestinationPort);
            writer.Literal("</dstkey>"u8);
        }
    }
}
