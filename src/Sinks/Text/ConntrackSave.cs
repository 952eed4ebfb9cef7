using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>The lines of <c>conntrack -o save</c> 1.4.7: a command line each that makes the entry again, for <c>conntrack -R</c>.</summary>
public static class ConntrackSave
{
    // In the order of their bits.
    private static readonly FlowStatus[] Statuses =
        [FlowStatus.Expected, FlowStatus.SeenReply, FlowStatus.Assured, FlowStatus.FixedTimeout];

    /// <summary>Writes one line, without a line feed.</summary>
    /// <param name="command">-A, -U or -D.</param>
    /// <returns>Bytes written; 0 if <paramref name="destination"/> is too small.</returns>
    public static int Write(Span<byte> destination, in FlowEvent e, ReadOnlySpan<byte> command, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        Utf8Writer writer = new(destination);
        writer.Literal(command);
        writer.Byte((byte)' ');
        if (flow.Has(FlowFields.Timeout))
            Number(ref writer, "-t "u8, flow.Timeout);
        if (flow.Has(FlowFields.Status))
            Status(ref writer, flow.Status);
        Zones(ref writer, in flow);
        Addresses(ref writer, in flow);
        Protocol(ref writer, in e);
        writer.TrimEnd((byte)' ');
        if (e.Type != FlowEventType.Row && e.PortId != 0)
            ConntrackText.Cause(ref writer, e.PortId, options);
        return writer.Position;
    }

    private static void Status(ref Utf8Writer writer, FlowStatus status)
    {
        writer.Literal("-u "u8);
        bool isAny = false;
        foreach (FlowStatus bit in Statuses)
        {
            if ((status & bit) == FlowStatus.None)
                continue;
            if (isAny)
                writer.Byte((byte)',');
            writer.Literal(bit.Utf8Name());
            isAny = true;
        }

        writer.Literal(isAny ? " "u8 : "UNSET "u8);
    }

    private static void Zones(ref Utf8Writer writer, in Flow flow)
    {
        bool oneZone = flow.Original.Zone == flow.Reply.Zone || !flow.Has(FlowFields.Reply);
        if (oneZone && flow.Original.Zone != 0)
            Number(ref writer, "-w "u8, flow.Original.Zone);
        if (!oneZone && flow.Original.Zone != 0)
            Number(ref writer, "--orig-zone "u8, flow.Original.Zone);
        if (!oneZone && flow.Reply.Zone != 0)
            Number(ref writer, "--reply-zone "u8, flow.Reply.Zone);
    }

    private static void Addresses(ref Utf8Writer writer, in Flow flow)
    {
        Address(ref writer, "-s "u8, in flow.Original.Source, flow.Original.Family);
        Address(ref writer, "-d "u8, in flow.Original.Destination, flow.Original.Family);
        if (!flow.Has(FlowFields.Reply))
            return;
        Address(ref writer, flow.IsDestinationTranslated() ? "-g "u8 : "-r "u8, in flow.Reply.Source, flow.Original.Family);
        Address(ref writer, flow.IsSourceTranslated() ? "-n "u8 : "-q "u8, in flow.Reply.Destination, flow.Original.Family);
    }

    private static void Protocol(ref Utf8Writer writer, in FlowEvent e)
    {
        ref readonly Flow flow = ref e.Flow;
        ref readonly FlowTuple original = ref flow.Original;
        writer.Literal("-p "u8);
        if (original.Protocol.Utf8Name() is { Length: > 0 } name)
            writer.Literal(name);
        else
            writer.Number((uint)original.Protocol);
        writer.Byte((byte)' ');
        if (original.IsIcmp)
        {
            ReadOnlySpan<byte> prefix = original.Protocol == IpProtocol.Icmp ? "--icmp-"u8 : "--icmpv6-"u8;
            Part(ref writer, prefix, "type "u8, original.IcmpType);
            Part(ref writer, prefix, "code "u8, original.IcmpCode);
            Part(ref writer, prefix, "id "u8, original.IcmpId);
            return;
        }

        if (!original.Protocol.HasPortsOrKeys() || !HasPorts(in flow))
            return;
        bool isGre = original.Protocol == IpProtocol.Gre;
        Number(ref writer, isGre ? "--srckey "u8 : "--sport "u8, original.SourcePort);
        Number(ref writer, isGre ? "--dstkey "u8 : "--dport "u8, original.DestinationPort);
        if (flow.Has(FlowFields.Reply))
        {
            Number(ref writer, isGre ? "--reply-key-src "u8 : "--reply-port-src "u8, flow.Reply.SourcePort);
            Number(ref writer, isGre ? "--reply-key-dst "u8 : "--reply-port-dst "u8, flow.Reply.DestinationPort);
        }

        State(ref writer, in e);
    }

    /// <summary>A kernel without a tracker for SCTP, DCCP or UDP-Lite sends no ports.</summary>
    private static bool HasPorts(in Flow flow) => flow.Original.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Gre
        || (flow.Original.SourcePort | flow.Original.DestinationPort) != 0;

    private static void State(ref Utf8Writer writer, in FlowEvent e)
    {
        ref readonly Flow flow = ref e.Flow;
        if (!flow.Has(FlowFields.ProtocolState) || StateNames.Of(flow.Original.Protocol, flow.ProtocolState) is not { Length: > 0 } state)
            return;
        writer.Literal("--state "u8);
        writer.Literal(state);
        writer.Byte((byte)' ');
        if (e.Type == FlowEventType.Destroy) // the kernel sends the state alone
            return;
        if (flow.Original.Protocol == IpProtocol.Sctp)
        {
            // conntrack shows a tag with its bytes reversed, and reads it so
            Number(ref writer, "--orig-vtag "u8, BinaryPrimitives.ReverseEndianness(flow.Extras?.SctpOriginalTag ?? 0));
            Number(ref writer, "--reply-vtag "u8, BinaryPrimitives.ReverseEndianness(flow.Extras?.SctpReplyTag ?? 0));
        }
        else if (flow.Original.Protocol == IpProtocol.Dccp)
        {
            writer.Literal((flow.Extras?.DccpRole ?? 0) == 0 ? "--role client "u8 : "--role server "u8);
        }
    }

    private static void Address(ref Utf8Writer writer, scoped ReadOnlySpan<byte> option, in IpAddress address, FlowFamily family)
    {
        writer.Literal(option);
        writer.Address(address, family);
        writer.Byte((byte)' ');
    }

    private static void Part(ref Utf8Writer writer, scoped ReadOnlySpan<byte> prefix, scoped ReadOnlySpan<byte> option, uint value)
    {
        writer.Literal(prefix);
        Number(ref writer, option, value);
    }

    private static void Number(ref Utf8Writer writer, scoped ReadOnlySpan<byte> option, uint value)
    {
        writer.Literal(option);
        writer.Number(value);
        writer.Byte((byte)' ');
    }
}
