using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Recording;
using static ConntrackStream.Sinks.Tests.Recording.Capture;

namespace ConntrackStream.Sinks.Tests.Recording;

public sealed class MessageAnonymizerTests
{
    private readonly AddressCipher _cipher = new(new HashSeed(1, 2));

    [Fact]
    public void Both_tuples_have_the_same_new_addresses_and_their_old_ports()
    {
        Flow flow = Anonymized(New(1)), other = Anonymized(New(9));
        Assert.NotEqual(0x0A00_0001UL, flow.Original.Source.Low);
        Assert.NotEqual(0x0A00_0002UL, flow.Original.Destination.Low);
        Assert.Equal((flow.Original.Source, flow.Original.Destination), (flow.Reply.Destination, flow.Reply.Source));
        Assert.Equal((1000, 53, 53, 1000), (
            flow.Original.SourcePort, flow.Original.DestinationPort, flow.Reply.SourcePort, flow.Reply.DestinationPort));
        Assert.Equal(77u, flow.Id);
        Assert.Equal(flow.Original.Destination, other.Original.Destination); // the same host in another event
        Assert.NotEqual(flow.Original.Source, other.Original.Source);
    }

    [Fact]
    public void No_two_addresses_become_one_and_another_key_gives_others()
    {
        AddressCipher elsewhere = new(new HashSeed(3, 4));
        HashSet<uint> seen = [];
        int equal = 0;
        for (uint address = 0; address < 200_000; address++) // of a hash to 32 bits, some five would be equal
        {
            uint replaced = Replace(_cipher, address);
            Assert.True(seen.Add(replaced));
            equal += replaced == Replace(elsewhere, address) ? 1 : 0;
        }

        Assert.InRange(equal, 0, 3);
    }

    [Fact]
    public void An_address_of_IPv6_is_replaced_whole()
    {
        byte[] one = [0x20, 1, 0xd, 0xb8, .. new byte[11], 1], other = [0x20, 1, 0xd, 0xb8, .. new byte[11], 2], original = [.. one];
        _cipher.ReplaceIPv6(one);
        _cipher.ReplaceIPv6(other);
        Assert.NotEqual(one[..8], other[..8]);
        Assert.NotEqual(one[8..], other[8..]);
        Assert.Equal((-1, -1), (one.AsSpan().IndexOf(original.AsSpan(0, 8)), one.AsSpan().IndexOf(original.AsSpan(8)))); // no half of it
    }

    [Fact]
    public void What_cannot_be_read_whole_is_refused_and_nothing_is_written_beyond_it()
    {
        byte[] whole = New(1);
        Random random = new(3);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] message = whole[..random.Next(whole.Length + 1)];
            for (int i = random.Next(4); i > 0 && message.Length > 0; i--)
                message[random.Next(message.Length)] = (byte)random.Next(256);
            byte[] before = [.. message];
            bool isReplaced = new MessageAnonymizer(_cipher).TryReplace(message);
            FlowBatch batch = new();
            bool isRead = FlowDecoder.Decode(before, batch, 0) == DecodeResult.Decoded;
            if (!isRead || !isReplaced)
                continue;
            batch.Reset();
            Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(message, batch, 0)); // still the same event
        }

        Assert.False(new MessageAnonymizer(_cipher).TryReplace(whole.AsSpan(0, 40).ToArray()));
        Assert.False(new MessageAnonymizer(_cipher).TryReplace(whole.With(20, 0xFFFF)));
    }

    [Fact]
    public void What_is_not_known_is_overwritten()
    {
        byte[] unknown = [8, 0, 99, 0, 10, 0, 0, 1], known = [8, 0, 8, 0, 0, 0, 0, 5]; // a type of the future, and CTA_MARK
        byte[] message = [.. New(1), .. unknown, .. known];
        message = message.With(0, (uint)message.Length);
        Assert.True(new MessageAnonymizer(_cipher).TryReplace(message));
        Assert.Equal([8, 0, 99, 0, 0, 0, 0, 0, .. known], message[^16..]);
    }

    [Fact]
    public void The_master_has_its_new_addresses_too_and_what_a_helper_or_a_translation_holds_is_overwritten()
    {
        const int First = 20; // behind nlmsghdr and nfgenmsg
        byte[] original = New(1), tuple = original[First..(First + BitConverter.ToUInt16(original, First))], master = [.. tuple];
        master[2] = 14; // CTA_TUPLE_MASTER
        byte[] name = [8, 0, 1, 0, (byte)'f', (byte)'t', (byte)'p', 0], info = [8, 0, 2, 0, 10, 0, 0, 1], nat = [8, 0, 6, 0, 10, 0, 0, 1];
        byte[] message = [.. original, .. master, 20, 0, 5, 0x80, .. name, .. info, .. nat]; // CTA_HELP, CTA_NAT_SRC
        message = message.With(0, (uint)message.Length);
        Assert.True(new MessageAnonymizer(_cipher).TryReplace(message));
        Assert.Equal(-1, message.AsSpan().IndexOf((ReadOnlySpan<byte>)[10, 0, 0, 1]));
        int at = original.Length;
        Assert.Equal(message[(First + 4)..(First + tuple.Length)], message[(at + 4)..(at + tuple.Length)]);
        Assert.Equal([.. name, 8, 0, 2, 0, 0, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0, 0], message[^24..]);
    }

    private Flow Anonymized(byte[] message)
    {
        Assert.True(new MessageAnonymizer(_cipher).TryReplace(message));
        FlowBatch batch = new();
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(message, batch, receivedAt: 1));
        return batch.Span[0].Flow;
    }

    private static uint Replace(AddressCipher cipher, uint address)
    {
        byte[] bytes = BitConverter.GetBytes(address);
        cipher.ReplaceIPv4(bytes);
        return BitConverter.ToUInt32(bytes);
    }
}
