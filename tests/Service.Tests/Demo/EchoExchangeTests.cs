using ConntrackStream.Service.Demo;

namespace ConntrackStream.Service.Tests.Demo;

public sealed class EchoExchangeTests
{
    [Fact]
    public void An_icmp_request_carries_its_checksum()
    {
        byte[] message = [0, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x62, 0x63]; // payload "abc": an odd length
        EchoExchange.WriteRequest(message, isIPv6: false, id: 0x1234, sequence: 1);

        // ~(0800 + 1234 + 0001 + 6162 + 6300) = ~de97
        Assert.Equal([8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, 0x61, 0x62, 0x63], message);
    }

    [Fact]
    public void The_checksum_of_icmpv6_is_left_to_the_kernel()
    {
        byte[] message = new byte[8];
        EchoExchange.WriteRequest(message, isIPv6: true, id: 0x1234, sequence: 2);

        Assert.Equal([128, 0, 0, 0, 0x12, 0x34, 0, 2], message);
    }

    [Theory]
    [InlineData("45", "0000 0000 1234 0001", false, true)]
    [InlineData("46", "0000 0000 1234 0001", false, false)] // a longer IP header: the reply is not where it was said to be
    [InlineData("45", "0800 0000 1234 0001", false, false)] // the request itself, over loopback
    [InlineData("45", "0000 0000 1235 0001", false, false)] // another's
    [InlineData("45", "0000 0000 1234 0002", false, false)] // another round's
    [InlineData("45", "0000 0000 1234", false, false)] // cut off
    [InlineData("", "8100 0000 1234 0001", true, true)]
    [InlineData("", "8000 0000 1234 0001", true, false)]
    [InlineData("", "", false, false)]
    public void Only_the_answer_to_this_request_counts(string firstByteOfIPv4, string icmp, bool isIPv6, bool expected)
    {
        byte[] header = firstByteOfIPv4.Length == 0 ? [] : [.. Convert.FromHexString(firstByteOfIPv4), .. new byte[19]];
        byte[] packet = [.. header, .. Convert.FromHexString(icmp.Replace(" ", "", StringComparison.Ordinal))];

        Assert.Equal(expected, EchoExchange.IsReply(packet, isIPv6, id: 0x1234, sequence: 1));
    }
}
