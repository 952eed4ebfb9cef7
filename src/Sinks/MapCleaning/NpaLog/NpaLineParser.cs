using System.Text.Json;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// Reads one line of the agent's log, in any of the forms it is met in:
/// <list type="bullet">
/// <item>zap's JSON with ts in ISO 8601 (pkg/logger/zaplogger.go: NewProductionEncoderConfig, ISO8601TimeEncoder), or in epoch seconds;
/// "msg" holds the whole text, or, from logr at first, "Conntrack cleanup" with a field "Delete - " beside it;</item>
/// <item>text: <c>2024-12-04 20:00:00 [INFO] message</c>, zap's console form;</item>
/// <item>either behind what <c>kubectl logs --prefix --timestamps</c> (<c>[pod/NAME/CONTAINER] TIME </c>) or the container runtime
/// (<c>TIME stdout F </c>) puts in front. The inner time wins.</item>
/// </list>
/// </summary>
internal static class NpaLineParser
{
    internal static NpaLine Parse(ReadOnlySpan<byte> line)
    {
        AgentTime? time = null;
        ReadOnlySpan<byte> text = SkipPrefixes(line, ref time);
        if (text.IndexOf("onntrack"u8) < 0)
            return new NpaLine(NpaLineKind.Unrelated, time); // every message of the cleanup has the word
        if (!text.StartsWith("{"u8))
            return NpaMessage.Parse(text, time);
        try
        {
            return ParseJson(text, time);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: text that is no UTF-8
        {
            return new NpaLine(NpaLineKind.Malformed, time);
        }
    }

    private static ReadOnlySpan<byte> SkipPrefixes(ReadOnlySpan<byte> text, ref AgentTime? time)
    {
        text = text.TrimStart(" \t"u8);
        int bracket = text.StartsWith("[pod/"u8) ? text.IndexOf("] "u8) : -1;
        if (bracket >= 0)
            text = text[(bracket + 2)..];
        while (AgentTime.TryParse(text, out AgentTime stamp, out int length))
        {
            time = stamp;
            text = text[length..].TrimStart(" \t"u8);
        }

        if (text.StartsWith("stdout F "u8) || text.StartsWith("stderr F "u8))
            return SkipPrefixes(text["stdout F ".Length..], ref time);
        return text;
    }

    private static NpaLine ParseJson(ReadOnlySpan<byte> text, AgentTime? time)
    {
        Utf8JsonReader reader = new(text);
        string? message = null, delete = null;
        bool isDelete = false, isNominated = false;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isTime = reader.ValueTextEquals("ts"u8), isMessage = reader.ValueTextEquals("msg"u8);
            bool isDeleteField = reader.ValueTextEquals("Delete - "u8);
            isNominated |= reader.ValueTextEquals("Entry - "u8);
            isDelete |= isDeleteField;
            reader.Read();
            if (isTime)
                time = Time(ref reader) ?? time;
            else if (reader.TokenType != JsonTokenType.String)
                reader.Skip(); // the first versions wrote the key as an object of raw numbers: a delete whose key is not read
            else if (isMessage)
                message = reader.GetString();
            else if (isDeleteField)
                delete = reader.GetString();
        }

        reader.Read(); // anything after the object is an error
        if (message is null)
            return new NpaLine(NpaLineKind.Unrelated, time);
        if (!message.StartsWith("Conntrack cleanup", StringComparison.Ordinal) || (!isDelete && !isNominated))
            return NpaMessage.Parse(System.Text.Encoding.UTF8.GetBytes(message), time);
        return isDelete
            ? new NpaLine(NpaLineKind.Delete, time, delete is null ? null : NpaKey.Parse(System.Text.Encoding.UTF8.GetBytes(delete)))
            : new NpaLine(NpaLineKind.Nominated, time);
    }

    private static AgentTime? Time(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
            return reader.TryGetDouble(out double seconds) ? AgentTime.FromEpoch(seconds) : null;
        if (reader.TokenType == JsonTokenType.String)
            return AgentTime.TryParse(reader.ValueSpan, out AgentTime time, out int length) && length == reader.ValueSpan.Length
                ? time
                : null;
        reader.Skip();
        return null;
    }
}
