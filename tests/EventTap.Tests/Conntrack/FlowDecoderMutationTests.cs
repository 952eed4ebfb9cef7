using System.Buffers.Binary;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using CsCheck;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>A million messages that no kernel sent, the same in every run.</summary>
public class FlowDecoderMutationTests
{
    private const int Messages = 1_000_000;
    private const int Room = MessageMutation.Room;

    private readonly long[] _results = new long[3];

    [Fact]
    public void Mutated_messages_are_decoded_or_counted_and_never_throw()
    {
        FlowBatch batch = new FlowBatchPool().Rent();
        FlowBatch other = new FlowBatchPool().Rent();
        byte[] buffer = new byte[Room + 64], copy = new byte[Room + 64];
        Gen.Select(MessageMutation.Any, Gen.Bool, Gen.Int[0, 31]).Check(Messages, decoding =>
        {
            (MessageMutation mutation, bool isRow, int followed) = decoding;
            if (batch.IsFull)
                batch.Reset();
            int length = mutation.Write(buffer);
            buffer.AsSpan(length).Fill(0x00);
            int before = batch.Count;
            DecodeResult result = isRow
                ? FlowDecoder.DecodeRow(buffer.AsSpan(0, length), batch, 1)
                : FlowDecoder.Decode(buffer.AsSpan(0, length), batch, 1);
            _results[(int)result]++;
            Assert.Equal(before + (result == DecodeResult.Decoded ? 1 : 0), batch.Count);
            if (result != DecodeResult.Decoded)
                return;
            CheckInvariants(batch.Span[^1]);
            if (followed == 0)
                CheckIndependentOfWhatFollows(buffer, copy, length, isRow, batch.Span[^1], other);
        });

        Assert.Equal(Messages, _results.Sum());
        Assert.All(_results, count => Assert.True(count > Messages / 100, $"the mutations are lopsided: {string.Join(' ', _results)}"));
    }

    [Fact]
    public void Mutated_datagrams_are_walked_to_an_end()
    {
        byte[] datagram = new byte[8 * Room];
        long malformed = 0, messages = 0;
        MessageMutation.Any.Array[1, 3].Check(100_000, mutations =>
        {
            int length = 0;
            foreach (MessageMutation mutation in mutations)
                length += Nlmsg.Align(mutation.Write(datagram.AsSpan(length)));
            MessageReader reader = new(datagram.AsSpan(0, length));
            int walked = 0;
            while (reader.Next())
            {
                walked += reader.Message.Length;
                messages++;
            }

            Assert.True(walked <= length);
            malformed += reader.Malformed ? 1 : 0;
        });

        Assert.True(malformed > 1000 && messages > 100_000, $"{malformed} malformed, {messages} messages");
    }

    [Fact]
    public void What_is_read_in_one_look_is_what_the_walk_reads()
    {
        byte[] tuple = new byte[128];
        int usual = 0, refused = 0;
        Gen.Select(Gen.Int[0, MessageMutation.Originals.Length - 1], Gen.Int[0, 3], Gen.UInt, Gen.Int[0, 7]).Check(200_000, change =>
        {
            (int recorded, int isChanged, uint place, int bit) = change;
            byte[] original = MessageMutation.Originals[recorded];
            int length = BinaryPrimitives.ReadUInt16LittleEndian(original.AsSpan(20)) - 4; // CTA_TUPLE_ORIG comes first
            original.AsSpan(24, length).CopyTo(tuple);
            if (isChanged != 0)
                tuple[(int)(place % (uint)length)] ^= (byte)(1 << bit);
            FlowFamily family = (FlowFamily)original[16];
            FlowTuple fast = default, walked = default;
            if (!FlowDecoder.TryReadUsualTuple(tuple.AsSpan(0, length), family, ref fast))
            {
                refused++;
                return;
            }

            usual++;
            Assert.True(FlowDecoder.ReadTuple(new AttributeReader(tuple.AsSpan(0, length)), family, ref walked));
            Assert.Equal(walked, fast);
        });

        Assert.True(usual > 50_000 && refused > 50_000, $"{usual} usual, {refused} refused");
    }

    private static void CheckInvariants(in FlowEvent e)
    {
        Assert.True(e.Flow.Has(FlowFields.Original));
        Assert.True(e.Flow.Original.Family is FlowFamily.IPv4 or FlowFamily.IPv6);
        if (e.Flow.Original.Family == FlowFamily.IPv4)
            Assert.True(e.Flow.Original.Source.High == 0 && e.Flow.Original.Source.Low <= uint.MaxValue);
        if (!e.Flow.Has(FlowFields.Reply))
            Assert.Equal(default, e.Flow.Reply);
        else
            Assert.Equal(e.Flow.Original.Family, e.Flow.Reply.Family);
        if (!e.Flow.Has(FlowFields.OriginalCounters))
            Assert.Equal(0ul, e.Flow.OriginalPackets | e.Flow.OriginalBytes);
        if (!e.Flow.Has(FlowFields.Mark))
            Assert.Equal(0u, e.Flow.Mark);
    }

    /// <summary>The same message before other bytes decodes to the same flow: nothing beyond its end was read.</summary>
    private static void CheckIndependentOfWhatFollows(
        byte[] buffer, byte[] copy, int length, bool isRow, in FlowEvent expected, FlowBatch batch)
    {
        buffer.AsSpan(0, length).CopyTo(copy);
        copy.AsSpan(length).Fill(0xff);
        batch.Reset();
        Span<byte> message = copy.AsSpan(0, length);
        Assert.Equal(DecodeResult.Decoded, isRow ? FlowDecoder.DecodeRow(message, batch, 1) : FlowDecoder.Decode(message, batch, 1));
        Assert.Equivalent(expected, batch.Span[0], strict: true); // every field, extras included
    }
}
