using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What every record of a kind begins with, behind its time.</summary>
internal static class EcsHead
{
    /// <summary>
    /// From the quote behind the time to the first member of <c>event</c> that differs from record to record; without its comma.
    /// </summary>
    internal static byte[] Of(FlowChangeKind kind, string host, RecordFields fields)
    {
        if (kind is FlowChangeKind.Gap or FlowChangeKind.Refused)
            fields = RecordFields.All;
        byte[] buffer = new byte[512 + (6 * host.Length)]; // an escaped character takes six bytes at most
        Utf8Writer text = new(buffer);
        text.Literal("\",\"ecs\":{\"version\":\""u8);
        text.Text(EcsRecordWriter.Version);
        text.Literal("\"}"u8);
        if (fields.Has(EcsFields.HostName))
        {
            text.Literal(",\"host\":{\"name\":"u8);
            text.JsonString(host);
            text.Byte((byte)'}');
        }

        text.Literal(kind == FlowChangeKind.Gap ? ",\"event\":{\"kind\":\"pipeline_error\""u8 : ",\"event\":{\"kind\":\"event\""u8);
        text.Literal(",\"action\":\""u8);
        text.Literal(RecordNames.EcsAction(kind));
        text.Byte((byte)'"');
        if (fields.Has(EcsFields.EventCategory))
            text.Literal(",\"category\":[\"network\"]"u8);
        if (fields.Has(EcsFields.EventType))
            text.Literal(Type(kind));
        if (fields.Has(EcsFields.EventDataset))
            text.Literal(",\"dataset\":\"conntrack_stream.flow\""u8);
        return text.Written.ToArray();
    }

    /// <summary><c>"netns":"…",</c> or nothing.</summary>
    internal static byte[] Namespace(string? name)
    {
        if (name is null)
            return [];
        Utf8Writer text = new(new byte[16 + (6 * name.Length)]);
        text.Literal("\"netns\":"u8);
        text.JsonString(name);
        text.Byte((byte)',');
        return text.Written.ToArray();
    }

    private static ReadOnlySpan<byte> Type(FlowChangeKind kind) => kind switch
    {
        FlowChangeKind.Started => ",\"type\":[\"connection\",\"start\"]"u8,
        FlowChangeKind.Updated => ",\"type\":[\"connection\",\"info\"]"u8,
        FlowChangeKind.Ended => ",\"type\":[\"connection\",\"end\"]"u8,
        FlowChangeKind.Refused => ",\"type\":[\"connection\",\"denied\"]"u8,
        _ => ",\"type\":[\"info\"]"u8,
    };
}
