using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The first half of a record of chosen fields. (Whole records join these fields' texts to fewer, longer ones.)</summary>
public sealed partial class FlowRecordWriter
{
    private void ChosenIdentity<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        text.Byte((byte)'"');
        if (!change.Id.IsNone && fields.Has(JsonFields.FlowId))
        {
            text.Literal(",\"flow_id\":\""u8);
            _idText.Write(ref text, change.Id);
            text.Byte((byte)'"');
        }

        if (flow.Has(FlowFields.Id) && fields.Has(JsonFields.CtId))
            Number(ref text, ",\"ct_id\":"u8, flow.Id);
        if (fields.Has(JsonFields.Zone))
            Number(ref text, ",\"zone\":"u8, flow.Original.Zone);
        if (flow.Has(FlowFields.Reply) && flow.Reply.Zone != flow.Original.Zone && fields.Has(JsonFields.ReplyZone))
            Number(ref text, ",\"reply_zone\":"u8, flow.Reply.Zone);
        if (fields.Has(JsonFields.Family))
            text.Literal(flow.Original.IsIPv6 ? ",\"family\":\"ipv6\""u8 : ",\"family\":\"ipv4\""u8);
        if (fields.Has(JsonFields.Proto) && flow.Original.Protocol.Utf8Name() is { IsEmpty: false } protocol)
        {
            text.Literal(",\"proto\":\""u8);
            text.Literal(protocol);
            text.Byte((byte)'"');
        }

        if (fields.Has(JsonFields.ProtoNum))
            Number(ref text, ",\"proto_num\":"u8, (uint)flow.Original.Protocol);
    }

    private static void ChosenTuples<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly FlowTuple original = ref flow.Original;
        ref readonly FlowTuple reply = ref flow.Reply;
        bool hasPorts = original.Protocol.HasPortsOrKeys();
        if (fields.Has(JsonFields.Src))
            Address(ref text, ",\"src\":\""u8, original.Source, original.Family);
        if (hasPorts && fields.Has(JsonFields.Sport))
            Number(ref text, ",\"sport\":"u8, original.SourcePort);
        if (fields.Has(JsonFields.Dst))
            Address(ref text, ",\"dst\":\""u8, original.Destination, original.Family);
        if (hasPorts && fields.Has(JsonFields.Dport))
            Number(ref text, ",\"dport\":"u8, original.DestinationPort);
        if (flow.Has(FlowFields.Reply))
        {
            if (fields.Has(JsonFields.ReplySrc))
                Address(ref text, ",\"reply_src\":\""u8, reply.Source, reply.Family);
            if (hasPorts && fields.Has(JsonFields.ReplySport))
                Number(ref text, ",\"reply_sport\":"u8, reply.SourcePort);
            if (fields.Has(JsonFields.ReplyDst))
                Address(ref text, ",\"reply_dst\":\""u8, reply.Destination, reply.Family);
            if (hasPorts && fields.Has(JsonFields.ReplyDport))
                Number(ref text, ",\"reply_dport\":"u8, reply.DestinationPort);
        }

        if (fields.Has(JsonFields.Nat))
            Nat(ref text, flow);
        if (original.IsIcmp)
            ChosenIcmp(ref text, flow, fields);
    }

    private static void ChosenIcmp<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (fields.Has(JsonFields.IcmpType))
            Number(ref text, ",\"icmp_type\":"u8, flow.Original.IcmpType);
        if (fields.Has(JsonFields.IcmpCode))
            Number(ref text, ",\"icmp_code\":"u8, flow.Original.IcmpCode);
        if (fields.Has(JsonFields.IcmpId))
            Number(ref text, ",\"icmp_id\":"u8, flow.Original.IcmpId);
        if (flow.Has(FlowFields.Reply) && flow.Reply.IcmpId != flow.Original.IcmpId && fields.Has(JsonFields.ReplyIcmpId))
            Number(ref text, ",\"reply_icmp_id\":"u8, flow.Reply.IcmpId);
    }

    private static void Address(ref Utf8Writer text, ReadOnlySpan<byte> name, IpAddress address, FlowFamily family)
    {
        text.Literal(name);
        text.Address(address, family);
        text.Byte((byte)'"');
    }
}
