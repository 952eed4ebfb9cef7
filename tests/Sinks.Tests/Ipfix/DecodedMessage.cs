using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>A field as a template announces it; enterprise 0 is IANA.</summary>
internal readonly record struct DecodedField(uint Enterprise, int Element, int Length);

/// <summary>A data record: values by (enterprise, element).</summary>
internal sealed record DecodedRecord(int Template, IReadOnlyDictionary<(uint, int), byte[]> Values)
{
    /// <summary>An unsigned number of an IANA element.</summary>
    internal ulong this[int element] => Number(0, element);

    internal ulong Number(uint enterprise, int element)
    {
        ulong value = 0;
        foreach (byte octet in Values[(enterprise, element)])
            value = value << 8 | octet;
        return value;
    }

    internal string Address(int element) => new System.Net.IPAddress(Values[(0, element)]).ToString();

    internal string Text(int element) => System.Text.Encoding.ASCII.GetString(Values[(0, element)]).TrimEnd('\0');
}

/// <summary>
/// A message, read by RFC 7011 alone: no constant is the exporter's. Templates are remembered by the caller, as a collector does.
/// </summary>
internal sealed class DecodedMessage
{
    internal DecodedMessage(ReadOnlySpan<byte> message, Dictionary<int, DecodedField[]> templates)
    {
        Assert.Equal(10, BinaryPrimitives.ReadUInt16BigEndian(message)); // version
        Assert.Equal(message.Length, BinaryPrimitives.ReadUInt16BigEndian(message[2..]));
        ExportTime = BinaryPrimitives.ReadUInt32BigEndian(message[4..]);
        Sequence = BinaryPrimitives.ReadUInt32BigEndian(message[8..]);
        Domain = BinaryPrimitives.ReadUInt32BigEndian(message[12..]);
        Length = message.Length;
        for (message = message[16..]; message.Length > 0;)
        {
            int id = BinaryPrimitives.ReadUInt16BigEndian(message), length = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
            ReadOnlySpan<byte> set = message[4..length];
            Sets.Add(id);
            if (id is 2 or 3)
                ReadTemplates(set, id == 3, templates);
            else
                ReadData(set, id, templates[id]);
            message = message[length..];
        }
    }

    internal uint ExportTime { get; }

    internal uint Sequence { get; }

    internal uint Domain { get; }

    internal int Length { get; }

    internal List<int> Sets { get; } = [];

    internal List<int> Templates { get; } = [];

    internal List<DecodedRecord> Records { get; } = [];

    /// <summary>Each message of a stream of bytes.</summary>
    internal static IEnumerable<DecodedMessage> Split(ReadOnlyMemory<byte> stream, Dictionary<int, DecodedField[]> templates)
    {
        while (stream.Length > 0)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(stream.Span[2..]);
            yield return new DecodedMessage(stream.Span[..length], templates);
            stream = stream[length..];
        }
    }

    private void ReadTemplates(ReadOnlySpan<byte> set, bool areOptions, Dictionary<int, DecodedField[]> templates)
    {
        while (set.Length > 0)
        {
            int id = BinaryPrimitives.ReadUInt16BigEndian(set);
            DecodedField[] fields = new DecodedField[BinaryPrimitives.ReadUInt16BigEndian(set[2..])];
            set = set[(areOptions ? 6 : 4)..];
            for (int i = 0; i < fields.Length; i++)
            {
                int element = BinaryPrimitives.ReadUInt16BigEndian(set), length = BinaryPrimitives.ReadUInt16BigEndian(set[2..]);
                bool isForeign = element >= 0x8000;
                fields[i] = new DecodedField(isForeign ? BinaryPrimitives.ReadUInt32BigEndian(set[4..]) : 0, element & 0x7fff, length);
                set = set[(isForeign ? 8 : 4)..];
            }

            templates[id] = fields;
            Templates.Add(id);
        }
    }

    private void ReadData(ReadOnlySpan<byte> set, int id, DecodedField[] fields)
    {
        int length = fields.Sum(static field => field.Length);
        while (set.Length >= length)
        {
            Dictionary<(uint, int), byte[]> values = [];
            foreach (DecodedField field in fields)
            {
                values.Add((field.Enterprise, field.Element), set[..field.Length].ToArray());
                set = set[field.Length..];
            }

            Records.Add(new DecodedRecord(id, values));
        }

        Assert.Equal(0, set.Length);
    }
}
