using System.Text.Json;
using System.Text.Unicode;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>Reads the external classifier's lines, none of which is trusted. Used by one reader at a time.</summary>
internal sealed class AnswerParser(IReadOnlyList<string> pathNames, TimeSpan verdictTime)
{
    /// <summary>Answers that claim to stand longer stand so long.</summary>
    internal static readonly TimeSpan MaxTime = TimeSpan.FromHours(1);

    private readonly ReasonTexts _reasons = new();
    private readonly char[] _text = new char[ExternalPeer.MaxLine];

    /// <summary>What is wrong with the line. An answer that is of no use still has its id, so that nobody waits for another.</summary>
    internal LineFault Parse(ReadOnlySpan<byte> line, out AnswerLine answer)
    {
        answer = default;
        if (!Utf8.IsValid(line))
            return LineFault.NotJson;
        Fields fields = new();
        try
        {
            Utf8JsonReader json = new(line, new JsonReaderOptions { MaxDepth = 8 });
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return LineFault.NotJson;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                Read(ref json, ref fields);
            if (json.TokenType != JsonTokenType.EndObject || json.Read())
                return LineFault.NotJson;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: an escaped lone surrogate
        {
            return LineFault.NotJson;
        }

        return Judge(fields, out answer);
    }

    private void Read(ref Utf8JsonReader json, ref Fields fields)
    {
        if (json.ValueTextEquals("v"u8))
            fields.Version = Number(ref json, ref fields, LineFault.Version) ?? 0;
        else if (json.ValueTextEquals("id"u8))
            fields.Id = Number(ref json, ref fields, LineFault.NotUnderstood);
        else if (json.ValueTextEquals("ttl_ms"u8))
            fields.Ttl = Number(ref json, ref fields, LineFault.Ttl);
        else if (json.ValueTextEquals("path"u8))
            (fields.HasPath, fields.Path) = Text(ref json, ref fields, out ReadOnlySpan<char> text) ? (true, Known(text)) : default;
        else if (json.ValueTextEquals("reason"u8))
            fields.Reason = Text(ref json, ref fields, out ReadOnlySpan<char> text) ? _reasons.Get(text) : null;
        else if (json.ValueTextEquals("reconsider"u8))
            fields.Reconsider = Text(ref json, ref fields, out ReadOnlySpan<char> text) ? text.ToString() : null;
        else if (json.ValueTextEquals("keep"u8))
            Keep(ref json, ref fields);
        else
            json.Skip();
    }

    private LineFault Judge(in Fields fields, out AnswerLine answer)
    {
        answer = default;
        if (fields.Version != 1)
            return LineFault.Version;
        if (fields.Reconsider is { } range && fields.Id is null)
            return fields.Fault == LineFault.None ? Range(range, out answer) : fields.Fault;
        if (fields.Id is not { } id)
            return LineFault.NotUnderstood;
        answer = new AnswerLine(id, default, null);
        if (fields.Fault != LineFault.None || fields.Reconsider is not null || (fields.HasPath && fields.Keep))
            return fields.Fault == LineFault.None ? LineFault.NotUnderstood : fields.Fault;
        if (fields.Ttl is < 1)
            return LineFault.Ttl;
        if (fields.HasPath && fields.Path is null)
            return LineFault.UnknownPath;
        VerdictKind kind = fields.HasPath ? VerdictKind.Path : fields.Keep ? VerdictKind.Keep : VerdictKind.None;
        TimeSpan? time = fields.Ttl is { } ttl ? TimeSpan.FromMilliseconds(Math.Min(ttl, (long)MaxTime.TotalMilliseconds))
            : kind == VerdictKind.None ? null // not recognised yet, as a rule: the next look at the flow asks again
            : verdictTime;
        answer = new AnswerLine(
            id,
            new Verdict(kind, fields.Path, fields.Reason ?? ExternalClassifier.Origin, time) { Origin = ExternalClassifier.Origin },
            null);
        return LineFault.None;
    }

    private static LineFault Range(string text, out AnswerLine answer)
    {
        answer = default;
        if (!IpPrefix.TryParse(text, out IpPrefix prefix, out _))
            return LineFault.Address;
        int bits = prefix.Family == FlowFamily.IPv4 ? prefix.Length + 96 : prefix.Length;
        ulong high = bits >= 64 ? 0 : ulong.MaxValue >> bits;
        ulong low = bits <= 64 ? ulong.MaxValue : bits == 128 ? 0 : ulong.MaxValue >> (bits - 64);
        IpAddress last = new(prefix.Network.High | high, prefix.Network.Low | low);
        answer = new AnswerLine(0, default, new AddressRange(prefix.Family, prefix.Network, last));
        return LineFault.None;
    }

    private static long? Number(ref Utf8JsonReader json, ref Fields fields, LineFault otherwise)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long value))
            return value;
        if (json.TokenType != JsonTokenType.Null)
            fields.Fault = otherwise;
        json.Skip();
        return null;
    }

    private bool Text(ref Utf8JsonReader json, ref Fields fields, out ReadOnlySpan<char> text)
    {
        json.Read();
        text = default;
        if (json.TokenType == JsonTokenType.String)
        {
            text = _text.AsSpan(0, json.CopyString(_text));
            return true;
        }

        if (json.TokenType != JsonTokenType.Null)
            fields.Fault = LineFault.NotUnderstood;
        json.Skip();
        return false;
    }

    private static void Keep(ref Utf8JsonReader json, ref Fields fields)
    {
        json.Read();
        fields.Keep = json.TokenType == JsonTokenType.True;
        if (json.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
            fields.Fault = LineFault.NotUnderstood;
        json.Skip();
    }

    private string? Known(ReadOnlySpan<char> path)
    {
        for (int i = 0; i < pathNames.Count; i++)
        {
            if (path.SequenceEqual(pathNames[i]))
                return pathNames[i];
        }

        return null;
    }

    private struct Fields
    {
        public long Version;
        public long? Id;
        public long? Ttl;
        public bool HasPath;
        public string? Path; // null where the name is unknown
        public bool Keep;
        public string? Reason;
        public string? Reconsider;
        public LineFault Fault;
    }
}
