using System.Buffers.Binary;
using System.Net;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>Byte for byte the sets of RFC 7011, appendix A, without the padding of the options template, which is optional.</summary>
public sealed class MessageWriterTests
{
    private static readonly Template
        Standard = new(256, [F(8), F(12), F(15), F(2), F(1)]), // A.2.1
        Foreign = new(257, [F(8), F(12), F(15, enterprise: 32473), F(2), F(1)]), // A.2.2, with the enterprise for examples
        Options = new(258, [F(141), F(41, 2), F(42, 2)], scopes: 1); // A.4.1

    [Fact]
    public void The_example_of_the_RFC_is_written_as_it_is_there()
    {
        MessageWriter message = new(1000, domain: 123456789);
        Assert.True(message.TryAddTemplate(Standard));
        Assert.True(message.TryAddTemplate(Foreign));
        Add(message, "192.0.2.12", "192.0.2.254", "192.0.2.1", 5009, 5344385);
        Add(message, "192.0.2.27", "192.0.2.23", "192.0.2.2", 748, 388934);
        Add(message, "192.0.2.56", "192.0.2.65", "192.0.2.3", 5, 6534);
        Assert.True(message.TryAddTemplate(Options));
        AddCounts(message, 1, 345, 10201);
        AddCounts(message, 2, 690, 20402);
        Assert.Equal(5, message.Records);
        AssertIs(
            message.Complete(exportTime: 0x6553f100, sequence: 42),
            "000a 00b2 6553f100 0000002a 075bcd15", // version, length, export time, sequence number, domain
            "0002 0038", // template set
            "0100 0005 0008 0004 000c 0004 000f 0004 0002 0004 0001 0004",
            "0101 0005 0008 0004 000c 0004 800f 0004 00007ed9 0002 0004 0001 0004",
            "0100 0040", // data set
            "c000020c c00002fe c0000201 00001391 00518c81",
            "c000021b c0000217 c0000202 000002ec 0005ef46",
            "c0000238 c0000241 c0000203 00000005 00001986",
            "0003 0016 0102 0003 0001 008d 0004 0029 0002 002a 0002", // options template set
            "0102 0014 00000001 0159 27d9 00000002 02b2 4fb2"); // data set of it
    }

    [Fact]
    public void Records_of_one_template_share_a_set_until_another_comes()
    {
        MessageWriter message = new(1000, domain: 0);
        Add(message, "192.0.2.1", "192.0.2.2", "192.0.2.3", 1, 2);
        AddCounts(message, 1, 2, 3);
        AddCounts(message, 2, 2, 3);
        Add(message, "192.0.2.1", "192.0.2.2", "192.0.2.3", 1, 2);
        Dictionary<int, DecodedField[]> templates = new()
        {
            [256] = [.. Enumerable.Range(1, 5).Select(static element => new DecodedField(0, element, 4))],
            [258] = [new(0, 1, 4), new(0, 2, 2), new(0, 3, 2)],
        };
        Assert.Equal([256, 258, 256], new DecodedMessage(message.Complete(0, 0), templates).Sets);
    }

    [Theory]
    [InlineData(16 + 4 + 20, 1)]
    [InlineData(16 + 4 + 59, 2)]
    [InlineData(16 + 4 + 60, 3)]
    public void A_message_is_never_longer_than_asked_for(int most, int records)
    {
        MessageWriter message = new(most, domain: 0);
        while (message.TryAdd(Standard, out Span<byte> record))
            record.Fill(0xff);
        Assert.Equal(records, message.Records);
        Assert.Equal(20 + (20 * records), message.Complete(0, 0).Length);
        Assert.False(message.TryAddTemplate(Standard));
        message.Clear();
        Assert.True(message.IsEmpty);
        Assert.Equal(16, message.Complete(0, 0).Length);
        Assert.True(message.TryAdd(Standard, out _));
        Assert.Equal(40, message.Complete(0, 0).Length);
    }

    private static Field F(int element, ushort length = 4, uint enterprise = 0) => new((Element)element, length, enterprise);

    private static void Add(MessageWriter message, string source, string destination, string hop, uint packets, uint bytes)
    {
        Assert.True(message.TryAdd(Standard, out Span<byte> record));
        foreach (string address in (string[])[source, destination, hop])
        {
            IPAddress.Parse(address).TryWriteBytes(record, out int length);
            record = record[length..];
        }

        BinaryPrimitives.WriteUInt32BigEndian(record, packets);
        BinaryPrimitives.WriteUInt32BigEndian(record[4..], bytes);
    }

    private static void AddCounts(MessageWriter message, uint card, ushort messages, ushort records)
    {
        Assert.True(message.TryAdd(Options, out Span<byte> record));
        BinaryPrimitives.WriteUInt32BigEndian(record, card);
        BinaryPrimitives.WriteUInt16BigEndian(record[4..], messages);
        BinaryPrimitives.WriteUInt16BigEndian(record[6..], records);
    }

    private static void AssertIs(ReadOnlySpan<byte> message, params string[] hex) =>
        Assert.Equal(string.Concat(hex).Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(message));
}
