using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public class MessageReaderTests
{
    private const string First = """
        15 00 00 00 00 01 02 00 07 00 00 00 09 00 00 00 // nlmsghdr: len 21, type 0x0100, NLM_F_MULTI, seq 7, pid 9
        02 00 00 00 aa // payload of 5
        """;

    private const string Padding = "00 00 00";

    private const string Done = """
        14 00 00 00 03 00 02 00 07 00 00 00 09 00 00 00 // nlmsghdr: len 20, NLMSG_DONE, NLM_F_MULTI, seq 7, pid 9
        00 00 00 00 // error
        """;

    [Fact]
    public void Walks_the_messages_of_a_datagram()
    {
        MessageReader messages = new(Hex.Parse(First + Environment.NewLine + Padding + Environment.NewLine + Done));
        Assert.True(messages.Next());
        Assert.Equal(21u, messages.Header.Length);
        Assert.Equal(0x0100, messages.Header.Type);
        Assert.Equal(Nlmsg.NLM_F_MULTI, messages.Header.Flags);
        Assert.Equal(7u, messages.Header.Sequence);
        Assert.Equal(9u, messages.Header.PortId);
        Assert.Equal(21, messages.Message.Length);
        Assert.Equal(Hex.Parse("02 00 00 00 aa"), messages.Payload);
        Assert.True(messages.Next());
        Assert.Equal(Nlmsg.NLMSG_DONE, messages.Header.Type);
        Assert.False(messages.Next());
        Assert.False(messages.Malformed);
    }

    [Fact]
    public void The_last_message_may_lack_its_padding()
    {
        MessageReader messages = new(Hex.Parse(First));
        Assert.True(messages.Next());
        Assert.False(messages.Next());
        Assert.False(messages.Malformed);
    }

    [Theory]
    [InlineData("00 00 00 00 00 01 02 00 07 00 00 00 09 00 00 00")] // nlmsg_len 0: would never end
    [InlineData("0f 00 00 00 00 01 02 00 07 00 00 00 09 00 00 00")] // below NLMSG_HDRLEN
    [InlineData("11 00 00 00 00 01 02 00 07 00 00 00 09 00 00 00")] // one byte beyond
    [InlineData("ff ff ff ff 00 01 02 00 07 00 00 00 09 00 00 00")]
    [InlineData("10 00 00 00 00 01 02 00")] // half a header
    public void A_bad_length_ends_the_walk_for_good(string hex)
    {
        MessageReader messages = new(Hex.Parse(hex));
        Assert.False(messages.Next());
        Assert.True(messages.Malformed);
        Assert.False(messages.Next());
    }

    [Fact]
    public void A_bad_length_after_a_good_message_loses_only_the_rest()
    {
        MessageReader messages = new(Hex.Parse(Done + Environment.NewLine + "08 00 00 00"));
        Assert.True(messages.Next());
        Assert.False(messages.Next());
        Assert.True(messages.Malformed);
    }
}
