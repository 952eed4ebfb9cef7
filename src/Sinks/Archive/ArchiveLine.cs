using System.Text.Json;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive;

/// <summary>What a record says about itself, beside the flow: the fields that <see cref="FlowRecordParser"/> leaves aside.</summary>
internal ref struct ArchiveLine
{
    internal ReadOnlySpan<byte> Host, NetworkNamespace, Event, Origin, Reason, Run, CausedBy;
    internal Guid? FlowId;
    internal ulong? Sequence, LastSequence;

    /// <returns>False when the line is no JSON object, or a field has a value it cannot have.</returns>
    internal bool TryRead(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader reader = new(line);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadOnlySpan<byte> name = reader.ValueSpan;
                reader.Read();
                if (!TryField(ref reader, name))
                    return false;
            }

            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The same of a record in the Elastic Common Schema.</summary>
    internal bool TryReadEcs(ReadOnlySpan<byte> line)
    {
        EcsLeaves leaves = new(line);
        try
        {
            while (leaves.Next())
            {
                if (!TryEcsField(ref leaves))
                    return false;
            }

            return leaves.IsWhole;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private bool TryEcsField(ref EcsLeaves leaves)
    {
        if (leaves.Is("host"u8, default, "name"u8))
            return TryText(ref leaves.Reader, ref Host);
        if (leaves.Is("event"u8, default, "action"u8))
            return TryText(ref leaves.Reader, ref Event);
        if (leaves.Outer.SequenceEqual("conntrack"u8) && leaves.Inner.IsEmpty)
            return TryField(ref leaves.Reader, leaves.Name); // netns, flow_id, origin, caused_by: by the names of the format json
        if (leaves.Is("event"u8, default, "reason"u8))
            return TryText(ref leaves.Reader, ref Reason);
        leaves.Reader.Skip();
        return true;
    }

    private bool TryField(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("host"u8))
            return TryText(ref reader, ref Host);
        if (name.SequenceEqual("netns"u8))
            return TryText(ref reader, ref NetworkNamespace);
        if (name.SequenceEqual("event"u8))
            return TryText(ref reader, ref Event);
        if (name.SequenceEqual("origin"u8))
            return TryText(ref reader, ref Origin);
        if (name.SequenceEqual("reason"u8))
            return TryText(ref reader, ref Reason);
        if (name.SequenceEqual("caused_by"u8))
            return TryText(ref reader, ref CausedBy);
        if (name.SequenceEqual("run"u8))
            return TryText(ref reader, ref Run);
        if (name.SequenceEqual("seq"u8))
            return TryNumber(ref reader, ref Sequence);
        if (name.SequenceEqual("seq_to"u8))
            return TryNumber(ref reader, ref LastSequence);
        if (!name.SequenceEqual("flow_id"u8))
        {
            reader.Skip();
            return true;
        }

        FlowId = reader.TokenType == JsonTokenType.String && reader.TryGetGuid(out Guid id) ? id : null;
        return FlowId is not null;
    }

    /// <summary>As it stands between its quotes, escapes included: they are the same whenever the text is.</summary>
    private static bool TryText(ref Utf8JsonReader reader, ref ReadOnlySpan<byte> text)
    {
        text = reader.ValueSpan;
        return reader.TokenType == JsonTokenType.String;
    }

    private static bool TryNumber(ref Utf8JsonReader reader, ref ulong? number)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetUInt64(out ulong value))
            return false;
        number = value;
        return true;
    }
}
