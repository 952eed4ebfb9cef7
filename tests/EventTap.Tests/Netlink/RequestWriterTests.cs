using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public class RequestWriterTests
{
    [Fact]
    public void Writes_headers_nests_and_padding()
    {
        RequestWriter request = new(Dirty(128));
        request.BeginNetfilter(type: 0x0101, Nlmsg.NLM_F_ACK, sequence: 7, family: 2);
        int nest = request.BeginNest(1);
        request.PutU8(1, 0x2a);
        request.PutU16(2, 0x1234);
        request.PutString(3, "ftp");
        request.EndNest(nest);
        request.PutU32(12, 0x01020304);
        request.EndMessage();

        Assert.Equal(Hex.Parse("""
            38 00 00 00 01 01 05 00 07 00 00 00 00 00 00 00 // nlmsghdr: len 56, NLM_F_REQUEST | NLM_F_ACK, seq 7
            02 00 00 00 // nfgenmsg
            1c 00 01 80 // nest
            05 00 01 00  2a 00 00 00 //   u8
            06 00 02 00  12 34 00 00 //   __be16
            08 00 03 00  66 74 70 00 //   string
            08 00 0c 00  01 02 03 04 // __be32
            """), request.Written);
    }

    [Fact]
    public void Writes_one_message_after_another()
    {
        RequestWriter request = new(Dirty(128));
        for (uint i = 1; i <= 2; i++)
        {
            request.BeginNetfilter(type: 0x0101, flags: 0, i, family: 2);
            request.PutU8(1, 1);
            request.EndMessage();
        }

        MessageReader messages = new(request.Written);
        Assert.True(messages.Next());
        Assert.Equal((1u, 28u), (messages.Header.Sequence, messages.Header.Length));
        Assert.True(messages.Next());
        Assert.Equal((2u, 28u), (messages.Header.Sequence, messages.Header.Length));
        Assert.False(messages.Next());
        Assert.False(messages.Malformed);
    }

    [Fact]
    public void Refuses_what_does_not_fit() => Assert.Throws<InvalidOperationException>(() =>
    {
        RequestWriter request = new(Dirty(24));
        request.BeginNetfilter(type: 0x0101, flags: 0, sequence: 1, family: 2);
        request.PutU8(1, 1);
    });

    private static byte[] Dirty(int length)
    {
        byte[] buffer = new byte[length];
        buffer.AsSpan().Fill(0xee);
        return buffer;
    }
}
