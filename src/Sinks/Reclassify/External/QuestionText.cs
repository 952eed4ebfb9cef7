using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>What is written to the external classifier: a line each, fields named as in the flow log's records.</summary>
internal static class QuestionText
{
    /// <summary>No question is longer, its path's name apart: two IPv6 addresses and every field.</summary>
    internal const int MaxLength = 512;

    internal static byte[] Hello(IReadOnlyList<string> pathNames, TimeSpan deadline)
    {
        byte[] buffer = new byte[128 + pathNames.Sum(static name => (6 * name.Length) + 3)];
        Utf8Writer text = new(buffer);
        text.Literal("{\"v\":1,\"hello\":\"conntrack-stream\",\"paths\":["u8);
        foreach (string name in pathNames)
        {
            text.JsonString(name);
            text.Byte((byte)',');
        }

        text.TrimEnd((byte)',');
        text.Literal("],\"deadline_ms\":"u8);
        text.Number((long)Math.Ceiling(deadline.TotalMilliseconds));
        text.Literal("}\n"u8);
        return text.Written.ToArray();
    }

    internal static void Question(ref Utf8Writer text, long id, in FlowQuestion question)
    {
        FlowTuple tuple = question.Original;
        bool hasPorts = tuple.Protocol.HasPortsOrKeys();
        text.Literal("{\"v\":1,\"id\":"u8);
        text.Number(id);
        text.Literal(tuple.IsIPv6 ? ",\"question\":{\"family\":\"ipv6\","u8 : ",\"question\":{\"family\":\"ipv4\","u8);
        text.Literal(RecordNames.Protocols[(byte)tuple.Protocol]);
        text.Literal(",\"src\":\""u8);
        text.Address(tuple.Source, tuple.Family);
        text.Byte((byte)'"');
        if (hasPorts)
            Field(ref text, ",\"sport\":"u8, tuple.SourcePort);
        text.Literal(",\"dst\":\""u8);
        text.Address(tuple.Destination, tuple.Family);
        text.Byte((byte)'"');
        if (hasPorts)
            Field(ref text, ",\"dport\":"u8, tuple.DestinationPort);
        if (tuple.IsIcmp)
        {
            Field(ref text, ",\"icmp_type\":"u8, tuple.IcmpType);
            Field(ref text, ",\"icmp_code\":"u8, tuple.IcmpCode);
            Field(ref text, ",\"icmp_id\":"u8, tuple.IcmpId);
        }

        Field(ref text, ",\"zone\":"u8, tuple.Zone);
        Field(ref text, ",\"mark\":"u8, question.Mark);
        if (question.PathNow is { } path)
        {
            text.Literal(",\"path\":"u8);
            text.JsonString(path);
        }

        text.Literal("}}\n"u8);
    }

    private static void Field(ref Utf8Writer text, ReadOnlySpan<byte> name, uint value)
    {
        text.Literal(name);
        text.Number(value);
    }
}
