using System.Text;

namespace ConntrackStream.Sinks.Otlp.Wire;

/// <summary>Whole attributes, as bytes: what a record writes without thinking, and what has no need to be quick.</summary>
internal static class AttributeBytes
{
    // opentelemetry/proto/common/v1/common.proto
    private const int Key = 1, Value = 2; // KeyValue
    private const int StringValue = 1, IntValue = 3, DoubleValue = 4, ArrayValue = 5; // AnyValue
    private const int Values = 1; // ArrayValue

    /// <summary>A text as the field of a message.</summary>
    /// <param name="field">Number of the message's attributes.</param>
    internal static byte[] Text(int field, string key, string value) => Text(field, key, Encoding.UTF8.GetBytes(value));

    /// <inheritdoc cref="Text(int, string, string)"/>
    internal static byte[] Text(int field, string key, ReadOnlySpan<byte> value) => Of(field, key, Any(value));

    /// <summary>A list of texts.</summary>
    internal static byte[] Texts(int field, string key, IEnumerable<byte[]> values) => Of(
        field, key, ProtoMessage.Field(ArrayValue, [.. values.SelectMany(static value => ProtoMessage.Field(Values, Any(value)))]));

    /// <summary>AnyValue with a string.</summary>
    internal static byte[] Any(ReadOnlySpan<byte> text) => ProtoMessage.Field(StringValue, text);

    /// <summary>What stands before a text. Its lengths are 0: the second byte, the third from the end and the last.</summary>
    internal static byte[] BeforeText(int field, string key) =>
        [(byte)ProtoWriter.Tag(field, ProtoWriter.Len), 0, .. KeyOf(key), (byte)ProtoWriter.Tag(Value, ProtoWriter.Len), 0,
            (byte)ProtoWriter.Tag(StringValue, ProtoWriter.Len), 0];

    /// <summary>What stands before a varint. Its lengths are 0: the second byte and the last but one.</summary>
    internal static byte[] BeforeNumber(int field, string key) =>
        [(byte)ProtoWriter.Tag(field, ProtoWriter.Len), 0, .. KeyOf(key), (byte)ProtoWriter.Tag(Value, ProtoWriter.Len), 0,
            (byte)ProtoWriter.Tag(IntValue, ProtoWriter.Varint)];

    /// <summary>What stands before the eight bytes of a double, lengths included.</summary>
    internal static byte[] BeforeDouble(int field, string key)
    {
        byte[] whole = Of(field, key, [(byte)ProtoWriter.Tag(DoubleValue, ProtoWriter.I64), .. new byte[sizeof(double)]]);
        return whole[..^sizeof(double)];
    }

    private static byte[] Of(int field, string key, ReadOnlySpan<byte> any) =>
        ProtoMessage.Field(field, [.. KeyOf(key), .. ProtoMessage.Field(Value, any)]);

    private static byte[] KeyOf(string key) => ProtoMessage.Field(Key, Encoding.UTF8.GetBytes(key));
}
