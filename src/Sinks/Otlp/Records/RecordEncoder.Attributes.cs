using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Otlp.Records;

// The attributes of a flow, in groups.
internal sealed partial class RecordEncoder
{
    private static readonly byte[] SourceAddress = BeforeText(OtlpFields.SourceAddress);
    private static readonly byte[] SourcePort = BeforeNumber(OtlpFields.SourcePort);
    private static readonly byte[] DestinationAddress = BeforeText(OtlpFields.DestinationAddress);
    private static readonly byte[] DestinationPort = BeforeNumber(OtlpFields.DestinationPort);
    private static readonly byte[] ClientAddress = BeforeText(OtlpFields.ClientAddress);
    private static readonly byte[] ClientPort = BeforeNumber(OtlpFields.ClientPort);
    private static readonly byte[] ServerAddress = BeforeText(OtlpFields.ServerAddress);
    private static readonly byte[] ServerPort = BeforeNumber(OtlpFields.ServerPort);
    private static readonly byte[] FlowIdKey = BeforeText(OtlpFields.FlowId);
    private static readonly byte[] FlowStart = BeforeNumber(OtlpFields.FlowStart);
    private static readonly byte[] FlowEnd = BeforeNumber(OtlpFields.FlowEnd);
    private static readonly byte[] Duration =
        AttributeBytes.BeforeDouble(KnownAttributes.Field, OtlpFields.NameOf(OtlpFields.FlowDuration));

    private static readonly byte[] Id = BeforeNumber(OtlpFields.Id);
    private static readonly byte[] Zone = BeforeNumber(OtlpFields.Zone);
    private static readonly byte[] ReplyZone = BeforeNumber(OtlpFields.ReplyZone);
    private static readonly byte[] ProtocolNumber = BeforeNumber(OtlpFields.ProtocolNumber);
    private static readonly byte[] OriginalPackets = BeforeNumber(OtlpFields.OriginalPackets);
    private static readonly byte[] OriginalBytes = BeforeNumber(OtlpFields.OriginalBytes);
    private static readonly byte[] ReplyPackets = BeforeNumber(OtlpFields.ReplyPackets);
    private static readonly byte[] ReplyBytes = BeforeNumber(OtlpFields.ReplyBytes);
    private static readonly byte[] NatSourceAddress = BeforeText(OtlpFields.NatSourceAddress);
    private static readonly byte[] NatSourcePort = BeforeNumber(OtlpFields.NatSourcePort);
    private static readonly byte[] NatDestinationAddress = BeforeText(OtlpFields.NatDestinationAddress);
    private static readonly byte[] NatDestinationPort = BeforeNumber(OtlpFields.NatDestinationPort);
    private static readonly byte[] IcmpType = BeforeNumber(OtlpFields.IcmpType);
    private static readonly byte[] IcmpCode = BeforeNumber(OtlpFields.IcmpCode);
    private static readonly byte[] IcmpId = BeforeNumber(OtlpFields.IcmpId);
    private static readonly byte[] IcmpReplyId = BeforeNumber(OtlpFields.IcmpReplyId);
    private static readonly byte[] Mark = BeforeNumber(OtlpFields.Mark);
    private static readonly byte[] Labels = BeforeText(OtlpFields.Labels);
    private static readonly byte[] CommunityIdKey = BeforeText(OtlpFields.CommunityId);
    private static readonly byte[] ReplyCommunityId = BeforeText(OtlpFields.ReplyCommunityId);

    /// <summary>Source and client, or destination and server: the same end under both names.</summary>
    private static void End<TFields>(
        ref ProtoWriter record, in FlowTuple original, scoped ReadOnlySpan<byte> address, bool isSource, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (fields.Has(isSource ? OtlpFields.SourceAddress : OtlpFields.DestinationAddress))
            Text(ref record, isSource ? SourceAddress : DestinationAddress, address);
        if (fields.Has(isSource ? OtlpFields.ClientAddress : OtlpFields.ServerAddress))
            Text(ref record, isSource ? ClientAddress : ServerAddress, address);
        if (!original.Protocol.HasPortsOrKeys())
            return;
        ushort port = isSource ? original.SourcePort : original.DestinationPort;
        if (fields.Has(isSource ? OtlpFields.SourcePort : OtlpFields.DestinationPort))
            Number(ref record, isSource ? SourcePort : DestinationPort, port);
        if (fields.Has(isSource ? OtlpFields.ClientPort : OtlpFields.ServerPort))
            Number(ref record, isSource ? ClientPort : ServerPort, port);
    }

    private void Identity<TFields>(ref ProtoWriter record, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        if (fields.Has(OtlpFields.Netns))
            record.Bytes(_namespace);
        if (!change.Id.IsNone && fields.Has(OtlpFields.FlowId))
        {
            Utf8Writer id = new(stackalloc byte[MostTextBytes]);
            _idText.Write(ref id, change.Id);
            Text(ref record, FlowIdKey, id.Written);
        }

        if (flow.Has(FlowFields.Id))
            Number(ref record, Id, flow.Id, fields.Has(OtlpFields.Id));
        Number(ref record, Zone, flow.Original.Zone, fields.Has(OtlpFields.Zone));
        if (flow.Has(FlowFields.Reply) && flow.Reply.Zone != flow.Original.Zone)
            Number(ref record, ReplyZone, flow.Reply.Zone, fields.Has(OtlpFields.ReplyZone));
        Number(ref record, ProtocolNumber, (byte)flow.Original.Protocol, fields.Has(OtlpFields.ProtocolNumber));
        if (fields.Has(OtlpFields.Direction))
            record.Bytes(KnownAttributes.Directions[(int)_directions.Of(flow)]);
        if (_communityId)
            Community(ref record, flow, fields);
    }

    private static void Community<TFields>(ref ProtoWriter record, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        Span<byte> id = stackalloc byte[CommunityId.Length];
        if (fields.Has(OtlpFields.CommunityId))
        {
            CommunityId.Write(flow.Original, id);
            Text(ref record, CommunityIdKey, id);
        }

        if (!RecordValues.HasOtherReply(flow) || !fields.Has(OtlpFields.ReplyCommunityId))
            return;
        CommunityId.Write(flow.Reply, id);
        Text(ref record, ReplyCommunityId, id);
    }

    private static void Times<TFields>(ref ProtoWriter record, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        long start = RecordValues.Start(change), end = RecordValues.End(change);
        if (start != 0)
            Number(ref record, FlowStart, (ulong)start, fields.Has(OtlpFields.FlowStart));
        if (end != 0)
            Number(ref record, FlowEnd, (ulong)end, fields.Has(OtlpFields.FlowEnd));
        if (start == 0 || end < start || !fields.Has(OtlpFields.FlowDuration)) // a clock set back in between makes it unknown
            return;
        record.Bytes(Duration);
        BinaryPrimitives.WriteDoubleLittleEndian(record.Rest, (end - start) / 1e9);
        record.Advance(sizeof(double));
    }

    private static void Counts<TFields>(ref ProtoWriter record, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (flow.Has(FlowFields.OriginalCounters))
        {
            Number(ref record, OriginalPackets, flow.OriginalPackets, fields.Has(OtlpFields.OriginalPackets));
            Number(ref record, OriginalBytes, flow.OriginalBytes, fields.Has(OtlpFields.OriginalBytes));
        }

        if (!flow.Has(FlowFields.ReplyCounters))
            return;
        Number(ref record, ReplyPackets, flow.ReplyPackets, fields.Has(OtlpFields.ReplyPackets));
        Number(ref record, ReplyBytes, flow.ReplyBytes, fields.Has(OtlpFields.ReplyBytes));
    }

    private static void Nat<TFields>(ref ProtoWriter record, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (!RecordValues.TryNat(flow, out bool source, out bool destination))
            return;
        if (fields.Has(OtlpFields.NatType))
            record.Bytes(KnownAttributes.NatType(source, destination));
        ref readonly FlowTuple reply = ref flow.Reply;
        bool hasPorts = reply.Protocol.HasPortsOrKeys();
        if (flow.IsSourceNat) // where replies go
        {
            if (fields.Has(OtlpFields.NatSourceAddress))
                Address(ref record, NatSourceAddress, reply.Destination, reply.Family);
            Number(ref record, NatSourcePort, reply.DestinationPort, hasPorts && fields.Has(OtlpFields.NatSourcePort));
        }

        if (!flow.IsDestinationNat) // where replies come from
            return;
        if (fields.Has(OtlpFields.NatDestinationAddress))
            Address(ref record, NatDestinationAddress, reply.Source, reply.Family);
        Number(ref record, NatDestinationPort, reply.SourcePort, hasPorts && fields.Has(OtlpFields.NatDestinationPort));
    }

    private static void Icmp<TFields>(ref ProtoWriter record, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        Number(ref record, IcmpType, flow.Original.IcmpType, fields.Has(OtlpFields.IcmpType));
        Number(ref record, IcmpCode, flow.Original.IcmpCode, fields.Has(OtlpFields.IcmpCode));
        Number(ref record, IcmpId, flow.Original.IcmpId, fields.Has(OtlpFields.IcmpId));
        if (flow.Has(FlowFields.Reply) && flow.Reply.IcmpId != flow.Original.IcmpId)
            Number(ref record, IcmpReplyId, flow.Reply.IcmpId, fields.Has(OtlpFields.IcmpReplyId));
    }

    private void State<TFields>(ref ProtoWriter record, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        if (flow.Has(FlowFields.Mark))
            Number(ref record, Mark, flow.Mark, fields.Has(OtlpFields.Mark));
        if (flow.Has(FlowFields.Status) && fields.Has(OtlpFields.Status))
            record.Bytes(_made.Of(flow.Status));
        if (flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState) && fields.Has(OtlpFields.TcpState))
            record.Bytes(KnownAttributes.TcpStates[(byte)flow.TcpState]);
        if (flow.Extras is { HasLabels: true } labelled && fields.Has(OtlpFields.Labels))
        {
            Utf8Writer labels = new(stackalloc byte[MostTextBytes]);
            labels.Literal("0x"u8);
            labels.PaddedHex((ulong)(labelled.Labels >> 64), 16);
            labels.PaddedHex((ulong)labelled.Labels, 16);
            Text(ref record, Labels, labels.Written);
        }

        if (flow.Extras?.Helper is { } helper && fields.Has(OtlpFields.Helper))
            record.Bytes(_made.Of(OtlpFields.Helper, helper));
        if (fields.Has(OtlpFields.Origin))
            record.Bytes(KnownAttributes.Origins[(int)change.Origin]);
        if (change.Kind == FlowChangeKind.Ended && fields.Has(OtlpFields.CausedBy) && _ends?.Find(flow) is { } cause)
            record.Bytes(_made.Of(OtlpFields.CausedBy, cause));
    }

    private static void Address(ref ProtoWriter record, byte[] before, IpAddress address, FlowFamily family)
    {
        Utf8Writer text = new(stackalloc byte[MostTextBytes]);
        text.Address(address, family);
        Text(ref record, before, text.Written);
    }

    private static byte[] BeforeText(ulong bit) => AttributeBytes.BeforeText(KnownAttributes.Field, OtlpFields.NameOf(bit));

    private static byte[] BeforeNumber(ulong bit) => AttributeBytes.BeforeNumber(KnownAttributes.Field, OtlpFields.NameOf(bit));
}
