using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The object <c>conntrack</c>: the fields of the format json that the schema has no name for, under the same names.</summary>
public sealed partial class EcsRecordWriter
{
    private void Conntrack<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        int begin = text.Position;
        text.Literal("\"conntrack\":{"u8);
        Identity(ref text, change, fields);
        if (fields.Has(EcsFields.Nat) && RecordValues.TryNat(flow, out bool source, out bool destination))
            Text(ref text, "\"nat\":\""u8, EcsNames.OfNat(source, destination));
        if (flow.Original.IsIcmp)
            Icmp(ref text, flow, fields);
        State(ref text, flow, fields);
        if (fields.Has(EcsFields.Origin))
            Text(ref text, "\"origin\":\""u8, RecordNames.Of(change.Origin));
        if (change.Kind == FlowChangeKind.Ended && fields.Has(EcsFields.CausedBy) && _ends?.Find(flow) is { } cause)
            Text(ref text, "\"caused_by\":"u8, cause);
        if (_communityId && fields.Has(EcsFields.ReplyCommunityId) && RecordValues.HasOtherReply(flow))
            Community(ref text, "\"reply_community_id\":\""u8, flow.Reply);
        text.EndObject(begin, default);
    }

    private void Identity<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        if (fields.Has(EcsFields.Netns))
            text.Literal(_namespace);
        if (!change.Id.IsNone && fields.Has(EcsFields.FlowId))
        {
            text.Literal("\"flow_id\":\""u8);
            _idText.Write(ref text, change.Id);
            text.Literal("\","u8);
        }

        if (flow.Has(FlowFields.Id))
            Number(ref text, "\"id\":"u8, flow.Id, fields.Has(EcsFields.Id));
        Number(ref text, "\"zone\":"u8, flow.Original.Zone, fields.Has(EcsFields.Zone));
        if (flow.Has(FlowFields.Reply) && flow.Reply.Zone != flow.Original.Zone)
            Number(ref text, "\"reply_zone\":"u8, flow.Reply.Zone, fields.Has(EcsFields.ReplyZone));
    }

    private static void Icmp<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        Number(ref text, "\"icmp_type\":"u8, flow.Original.IcmpType, fields.Has(EcsFields.IcmpType));
        Number(ref text, "\"icmp_code\":"u8, flow.Original.IcmpCode, fields.Has(EcsFields.IcmpCode));
        Number(ref text, "\"icmp_id\":"u8, flow.Original.IcmpId, fields.Has(EcsFields.IcmpId));
        if (flow.Has(FlowFields.Reply) && flow.Reply.IcmpId != flow.Original.IcmpId)
            Number(ref text, "\"reply_icmp_id\":"u8, flow.Reply.IcmpId, fields.Has(EcsFields.ReplyIcmpId));
    }

    private void State<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (flow.Has(FlowFields.Mark))
            Number(ref text, "\"mark\":"u8, flow.Mark, fields.Has(EcsFields.Mark));
        if (flow.Has(FlowFields.Status) && fields.Has(EcsFields.Status))
        {
            _statusText.Write(ref text, flow.Status);
            text.Byte((byte)',');
        }

        if (flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState) && fields.Has(EcsFields.TcpState)
            && flow.TcpState.Utf8Name() is { IsEmpty: false } state)
        {
            Text(ref text, "\"tcp_state\":\""u8, state);
        }

        if (flow.Extras is { HasLabels: true } labelled && fields.Has(EcsFields.Labels))
        {
            text.Literal("\"labels\":"u8);
            text.Labels(labelled.Labels);
            text.Byte((byte)',');
        }

        if (flow.Extras?.Helper is { } helper && fields.Has(EcsFields.Helper))
            Text(ref text, "\"helper\":"u8, helper);
    }

    private static void Text(ref Utf8Writer text, ReadOnlySpan<byte> name, string value)
    {
        text.Literal(name);
        text.JsonString(value);
        text.Byte((byte)',');
    }
}
