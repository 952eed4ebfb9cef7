using System.Buffers.Binary;
using System.Text;

namespace ConntrackStream.Sinks.Otlp.Wire;

/// <summary>Fields of messages that are made seldom, each as an array.</summary>
internal static class ProtoMessage
{
    /// <summary>A string, bytes or a message as a field.</summary>
    internal static byte[] Field(int field, ReadOnlySpan<byte> content)
    {
        ProtoWriter writer = new(new byte[(2 * ProtoWriter.MostVarintBytes) + content.Length]);
        writer.Field(field, content);
        return writer.Written.ToArray();
    }

    /// <summary>A string; nothing for an empty one.</summary>
    internal static byte[] Text(int field, string? text) =>
        string.IsNullOrEmpty(text) ? [] : Field(field, Encoding.UTF8.GetBytes(text));

    /// <summary>A varint.</summary>
    internal static byte[] Number(int field, ulong value)
    {
        ProtoWriter writer = new(stackalloc byte[2 * ProtoWriter.MostVarintBytes]);
        writer.Number((ulong)ProtoWriter.Tag(field, ProtoWriter.Varint));
        writer.Number(value);
        return writer.Written.ToArray();
    }

    /// <summary>Eight bytes: fixed64, sfixed64 or double.</summary>
    internal static byte[] Fixed(int field, ulong value)
    {
        byte[] bytes = new byte[1 + sizeof(ulong)];
        bytes[0] = (byte)ProtoWriter.Tag(field, ProtoWriter.I64);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), value);
        return bytes;
    }
}
