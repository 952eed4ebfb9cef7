using System.Buffers.Binary;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>A million messages that no kernel sent, the same in every run.</summary>
public class FlowDecoderMutationTests
{
    private const int Messages = 1_000_000;
    private const int Room = 1024; // longer than any recorded message

    private readonly Random _random = new(20251);
    private readonly byte[][] _originals = [.. Hex.RecordedNames.Select(Hex.Recorded)];
    private readonly long[] _results = new long[3];

    [Fact]
    public void Mutated_messages_are_decoded_or_counted_and_never_throw()
    {
        FlowBatch batch = new FlowBatchPool().Rent();
        FlowBatch other = new FlowBatchPool().Rent();
        byte[] buffer = new byte[Room + 64], copy = new byte[Room + 64];
        for (int i = 0; i < Messages; i++)
        {
            if (batch.IsFull)
                batch.Reset();
            int length = Mutate(buffer);
            buffer.AsSpan(length).Fill(0x00);
            int before = batch.Count;
            DecodeResult result = (i & 1) == 0
                ? FlowDecoder.Decode(buffer.AsSpan(0, length), batch, i)
                : FlowDecoder.DecodeRow(buffer.AsSpan(0, length), batch, i);
            _results[(int)result]++;
            Assert.Equal(before + (result == DecodeResult.Decoded ? 1 : 0), batch.Count);
            if (result != DecodeResult.Decoded)
                continue;
            CheckInvariants(batch.Span[^1]);
            if (i % 64 < 2)
                CheckIndependentOfWhatFollows(buffer, copy, length, (i & 1) != 0, i, batch.Span[^1], other);
        }

        Assert.Equal(Messages, _results.Sum());
        Assert.All(_results, count => Assert.True(count > Messages / 100, $"the mutations are lopsided: {string.Join(' ', _results)}"));
    }

    [Fact]
    public void Mutated_datagrams_are_walked_to_an_end()
    {
        byte[] datagram = new byte[8 * Room];
        long malformed = 0, messages = 0;
        for (int i = 0; i < 100_000; i++)
        {
            int length = 0;
            for (int n = _random.Next(1, 4); n > 0; n--)
                length += Nlmsg.Align(Mutate(datagram.AsSpan(length)));
            MessageReader reader = new(datagram.AsSpan(0, length));
            int walked = 0;
            while (reader.Next())
            {
                walked += reader.Message.Length;
                messages++;
            }

            Assert.True(walked <= length);
            malformed += reader.Malformed ? 1 : 0;
        }

        Assert.True(malformed > 1000 && messages > 100_000, $"{malformed} malformed, {messages} messages");
    }

    [Fact]
    public void What_is_read_in_one_look_is_what_the_walk_reads()
    {
        byte[] tuple = new byte[128];
        int usual = 0, refused = 0;
        for (int i = 0; i < 200_000; i++)
        {
            byte[] original = _originals[_random.Next(_originals.Length)];
            int length = BinaryPrimitives.ReadUInt16LittleEndian(original.AsSpan(20)) - 4; // CTA_TUPLE_ORIG comes first
            original.AsSpan(24, length).CopyTo(tuple);
            if (i % 4 != 0)
                tuple[_random.Next(length)] ^= (byte)(1 << _random.Next(8));
            FlowFamily family = (FlowFamily)original[16];
            FlowTuple fast = default, walked = default;
            if (!FlowDecoder.TryReadUsualTuple(tuple.AsSpan(0, length), family, ref fast))
            {
                refused++;
                continue;
            }

            usual++;
            Assert.True(FlowDecoder.ReadTuple(new AttributeReader(tuple.AsSpan(0, length)), family, ref walked));
            Assert.Equal(walked, fast);
        }

        Assert.True(usual > 50_000 && refused > 50_000, $"{usual} usual, {refused} refused");
    }

    private int Mutate(Span<byte> buffer)
    {
        byte[] original = _originals[_random.Next(_originals.Length)];
        original.CopyTo(buffer);
        int length = original.Length;
        for (int changes = _random.Next(1, 4); changes > 0; changes--)
            length = Change(buffer, length);
        if (_random.Next(8) != 0) // mostly let nlmsg_len agree, or nothing but that would be tested
            BinaryPrimitives.WriteInt32LittleEndian(buffer, length);
        return length;
    }

    private int Change(Span<byte> buffer, int length)
    {
        switch (_random.Next(7))
        {
            case 0: // a bit
                buffer[_random.Next(length)] ^= (byte)(1 << _random.Next(8));
                return length;
            case 1: // cut
                return _random.Next(16, length + 1);
            case 2: // a length field, most likely: attributes are aligned
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[(20 + 4 * _random.Next((length - 16) / 4))..], (ushort)_random.Next(64));
                return length;
            case 3: // a type
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[(18 + 4 * _random.Next(1, (length - 12) / 4))..], (ushort)(_random.Next(30) | _random.Next(4) << 14));
                return length;
            case 4: // a piece of another message
                byte[] other = _originals[_random.Next(_originals.Length)];
                int from = 20 + 4 * _random.Next((other.Length - 20) / 4);
                int count = Math.Min(_random.Next(other.Length - from), Room - length);
                int at = Nlmsg.Align(_random.Next(20, length + 4));
                other.AsSpan(from, count).CopyTo(buffer[at..]);
                return Math.Max(length, Math.Min(at + count, Room));
            case 5: // noise behind the headers
                _random.NextBytes(buffer.Slice(20, _random.Next(32)));
                return Math.Max(length, 52);
            default: // extreme values
                buffer[_random.Next(length)] = (byte)(_random.Next(2) * 255);
                return length;
        }
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
    private static void CheckIndependentOfWhatFollows(byte[] buffer, byte[] copy, int length, bool isRow, long receivedAt, in FlowEvent expected, FlowBatch batch)
    {
        buffer.AsSpan(0, length).CopyTo(copy);
        copy.AsSpan(length).Fill(0xff);
        batch.Reset();
        Span<byte> message = copy.AsSpan(0, length);
        Assert.Equal(DecodeResult.Decoded, isRow ? FlowDecoder.DecodeRow(message, batch, receivedAt) : FlowDecoder.Decode(message, batch, receivedAt));
        Assert.Equivalent(expected, batch.Span[0], strict: true); // every field, extras included
    }
}
