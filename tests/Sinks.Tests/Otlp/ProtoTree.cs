using Google.Protobuf;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>
/// The fields of a message without its schema, as text: in the order of their numbers, so that two writers can be compared. What is
/// printable is a text, what is not a message, or, if it is none, bytes (of packed numbers).
/// </summary>
internal static class ProtoTree
{
    /// <param name="isWanted">Whether a field counts, by the numbers that lead to it: <c>1.2.2</c>.</param>
    internal static string Of(ReadOnlySpan<byte> message, Func<string, bool> isWanted, string path = "")
    {
        List<(int Field, string Text)> fields = [];
        using CodedInputStream input = new(message.ToArray());
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            int field = WireFormat.GetTagFieldNumber(tag);
            string at = path.Length == 0 ? $"{field}" : $"{path}.{field}";
            string value = WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => $"{input.ReadUInt64()}",
                WireFormat.WireType.Fixed64 => $"0x{input.ReadFixed64():x}",
                WireFormat.WireType.Fixed32 => $"0x{input.ReadFixed32():x}",
                _ => Content(input.ReadBytes().Span, isWanted, at),
            };
            if (isWanted(at))
                fields.Add((field, $"{field}={value}"));
        }

        return string.Join(' ', fields.OrderBy(static one => one.Field).ThenBy(static one => one.Text, StringComparer.Ordinal)
            .Select(static one => one.Text));
    }

    private static string Content(ReadOnlySpan<byte> content, Func<string, bool> isWanted, string path)
    {
        if (!content.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            return $"\"{System.Text.Encoding.ASCII.GetString(content)}\"";
        try
        {
            return $"{{{Of(content, isWanted, path)}}}";
        }
        catch (InvalidProtocolBufferException)
        {
            return Convert.ToHexStringLower(content);
        }
    }
}
