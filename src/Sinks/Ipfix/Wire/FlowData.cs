using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>A data record by one of <see cref="FlowTemplates"/>.</summary>
internal static class FlowData
{
    /// <param name="destination">As long as the record of its template.</param>
    /// <param name="flow">Whose.</param>
    /// <param name="report">What is said of it.</param>
    internal static void Write(Span<byte> destination, in Flow flow, in FlowReport report)
    {
        ref readonly FlowTuple original = ref flow.Original;
        bool isIPv6 = original.IsIPv6;
        FieldWriter fields = new(destination);
        fields.Milliseconds(report.Start);
        fields.Milliseconds(report.End);
        fields.Address(original.Source, isIPv6);
        fields.Address(original.Destination, isIPv6);
        Ports(ref fields, original, original.SourcePort, original.DestinationPort);
        fields.U8((byte)original.Protocol);
        if (original.IsIcmp)
            fields.U16(original.DestinationPort); // type << 8 | code
        fields.U64(report.Counts.OriginalBytes);
        fields.U64(report.Counts.OriginalPackets);
        fields.U8(TcpFlags.Of(flow));
        fields.U64(report.Counts.ReplyBytes);
        fields.U64(report.Counts.ReplyPackets);
        fields.U8((byte)report.EndReason);
        fields.U8((byte)(report.IsEgress ? 1 : 0));
        fields.U32(0); // interfaces: connection tracking knows none
        fields.U32(0);
        fields.U32(original.Zone);
        fields.U64(report.FlowId);
        fields.U32(flow.Mark);
        fields.U32(flow.Id);
        // Translated: where replies come from and go to, equal to the original's ends where nothing is.
        ref readonly FlowTuple reply = ref flow.Reply;
        bool isKnown = flow.Has(FlowFields.Reply), hasOwnPorts = isKnown && !original.IsIcmp;
        fields.Address(isKnown ? ref reply.Destination : ref original.Source, isIPv6);
        fields.Address(isKnown ? ref reply.Source : ref original.Destination, isIPv6);
        Ports(
            ref fields,
            original,
            hasOwnPorts ? reply.DestinationPort : original.SourcePort,
            hasOwnPorts ? reply.SourcePort : original.DestinationPort);
    }

    /// <summary>ICMP has type and code in the place of the destination's port, as NetFlow has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ports(ref FieldWriter fields, in FlowTuple original, ushort source, ushort destination)
    {
        bool hasPorts = original.Protocol.HasPorts();
        fields.U16(hasPorts ? source : (ushort)0);
        fields.U16(hasPorts || original.IsIcmp ? destination : (ushort)0);
    }
}
