using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public class FlowDecoderMalformedTests
{
    private const string Addresses = """
        14 00 01 80 //   CTA_TUPLE_IP
        08 00 01 00  0a 00 00 01 //     CTA_IP_V4_SRC
        08 00 02 00  0a 00 00 02 //     CTA_IP_V4_DST

        """;

    private const string Protocol = """
        1c 00 02 80 //   CTA_TUPLE_PROTO
        05 00 01 00  11 00 00 00 //     CTA_PROTO_NUM
        06 00 02 00  04 01 00 00 //     CTA_PROTO_SRC_PORT
        06 00 03 00  00 35 00 00 //     CTA_PROTO_DST_PORT

        """;

    private const string Tuple = "34 00 01 80 // CTA_TUPLE_ORIG\n" + Addresses + Protocol;

    [Fact]
    public void The_message_they_are_made_from_is_well_formed() => Assert.Equal(DecodeResult.Decoded, Decode(Hex.Message(Tuple)));

    [Theory]
    [InlineData("")] // no attribute at all
    [InlineData("34 00 02 80\n" + Addresses + Protocol)] // CTA_TUPLE_REPLY only
    [InlineData("18 00 01 80\n" + Addresses)] // no CTA_TUPLE_PROTO
    [InlineData("20 00 01 80\n" + Protocol)] // no CTA_TUPLE_IP
    [InlineData("04 00 01 80")] // an empty CTA_TUPLE_ORIG
    [InlineData("2c 00 01 80 0c 00 01 80 08 00 01 00 0a 00 00 01\n" + Protocol)] // no CTA_IP_V4_DST
    [InlineData("30 00 01 80 14 00 01 80 07 00 01 00 0a 00 00 00 08 00 02 00 0a 00 00 02\n" + Protocol)] // CTA_IP_V4_SRC of 3 bytes
    // IPv6 in IPv4
    [InlineData(
        "4c 00 01 80 2c 00 01 80 14 00 03 00 00000000000000000000000000000001 14 00 04 00 00000000000000000000000000000001\n" + Protocol)]
    [InlineData(Tuple + "07 00 0c 00 01 02 03 00")] // CTA_ID of 3 bytes
    [InlineData(Tuple + "0c 00 0c 00 01 02 03 04 05 06 07 08")] // CTA_ID of 8 bytes
    [InlineData(Tuple + "08 00 12 00 00 00 00 01")] // CTA_ZONE of 4 bytes
    [InlineData(Tuple + "08 00 1b 00 00 00 00 01")] // CTA_TIMESTAMP_EVENT of 4 bytes
    [InlineData(Tuple + "04 00 03 00")] // CTA_STATUS, empty
    [InlineData(Tuple + "10 00 09 80 0c 00 01 00 00 00 00 00 00 00 00 01")] // CTA_COUNTERS_ORIG without bytes
    [InlineData(Tuple + "10 00 09 80 10 00 01 00 00 00 00 00 00 00 00 01")] // CTA_COUNTERS_PACKETS longer than its nest
    [InlineData(Tuple + "18 00 16 00 0000000000000000000000000000000000000000")] // CTA_LABELS of 20 bytes
    [InlineData(Tuple + "04 00 16 00")] // CTA_LABELS, empty
    [InlineData(Tuple + "10 00 04 80 0c 00 01 80 06 00 01 00 01 00 00 00")] // CTA_PROTOINFO_TCP_STATE of 2 bytes
    [InlineData(Tuple + "0c 00 04 80 ff 00 01 80 05 00 01 00")] // CTA_PROTOINFO_TCP beyond CTA_PROTOINFO
    [InlineData(Tuple + "08 00 05 80 ff 00 01 00")] // CTA_HELP_NAME beyond CTA_HELP
    [InlineData(Tuple + "00 00 00 00")] // nla_len 0
    [InlineData(Tuple + "08 00")] // half a header
    public void Is_malformed(string attributes) => Assert.Equal(DecodeResult.Malformed, Decode(Hex.Message(attributes)));

    [Fact]
    public void Every_truncation_of_every_recorded_message_is_malformed()
    {
        foreach (string name in Hex.RecordedNames)
        {
            byte[] message = Hex.Recorded(name);
            for (int length = 0; length < message.Length; length++)
                Assert.Equal(DecodeResult.Malformed, Decode(message[..length])); // nlmsg_len tells
        }
    }

    [Fact]
    public void A_truncation_that_hides_itself_in_nlmsg_len_throws_nothing_and_keeps_whole_attributes_only()
    {
        byte[] message = Hex.Recorded("tcp-destroy");
        for (int length = 20; length < message.Length; length++)
        {
            byte[] cut = message[..length];
            BitConverter.TryWriteBytes(cut, length); // nlmsg_len
            if (Decode(cut) == DecodeResult.Decoded)
                Assert.True(length >= 20 + 52, "decoded without a whole original tuple");
        }
    }

    [Fact]
    public void More_bytes_than_nlmsg_len_are_malformed() =>
        Assert.Equal(DecodeResult.Malformed, Decode([.. Hex.Recorded("tcp-new"), 0, 0, 0, 0]));

    [Fact]
    public void A_refused_message_leaves_nothing_in_the_batch()
    {
        FlowBatch batch = new();
        // CTA_LABELS, then a bad CTA_ID
        byte[] bad = Hex.Message(Tuple + "14 00 16 00 01000000000000000000000000000000 07 00 0c 00 01 02 03 00");
        for (int i = 0; i < 10_000; i++)
            Assert.Equal(DecodeResult.Malformed, FlowDecoder.Decode(bad, batch, 0));
        long before = GC.GetAllocatedBytesForCurrentThread();
        FlowDecoder.Decode(bad, batch, 0);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, batch.Count);
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(Hex.Message(Tuple), batch, 0));
        Assert.Null(batch.Span[0].Flow.Extras);
    }

    [Fact]
    public void Extras_of_kept_events_survive_refused_ones()
    {
        FlowBatch batch = new();
        FlowDecoder.DecodeRow(Hex.Recorded("ftp-control-row"), batch, 0);
        Assert.Equal(
            DecodeResult.Malformed,
            FlowDecoder.Decode(Hex.Message(Tuple + "14 00 16 00 01000000000000000000000000000000 00 00 00 00"), batch, 0));
        FlowDecoder.DecodeRow(Hex.Recorded("udp-labels-row"), batch, 0);
        Assert.Equal("ftp", batch.Span[0].Flow.Extras!.Helper);
        Assert.False(batch.Span[0].Flow.Extras!.HasLabels);
        Assert.Null(batch.Span[1].Flow.Extras!.Helper);
    }

    private static DecodeResult Decode(byte[] message)
    {
        FlowBatch batch = new();
        DecodeResult result = FlowDecoder.Decode(message, batch, 0);
        Assert.Equal(result == DecodeResult.Decoded ? 1 : 0, batch.Count);
        return result;
    }
}
