using System.Buffers.Binary;
using System.Net;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public class ExpectationDecoderTests
{
    private static readonly Expectation Made = new()
    {
        Tuple = Tuple("10.0.0.1", 0, 42),
        Mask = Tuple("255.255.255.255", 0, 65535),
        HasMask = true,
        Master = Tuple("10.0.0.9", 1000, 21),
        HasMaster = true,
        Timeout = 300,
        Id = 7,
        Zone = 3,
        Flags = ExpectationFlags.Permanent,
        Class = 1,
        Helper = "ftp",
        Function = "nat-follow-master",
    };

    [Theory]
    [InlineData(0, Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL, FlowEventType.New)]
    [InlineData(0, 0, FlowEventType.Update)]
    [InlineData(2, 0, FlowEventType.Destroy)]
    public void Reads_what_the_kernel_writes(byte message, int flags, FlowEventType expected)
    {
        Assert.True(ExpectationDecoder.TryRead(Message(2, message, flags), out FlowEventType type, out Expectation? read));
        Assert.Equal((expected, Made), (type, read));
    }

    [Fact]
    public void Refuses_what_is_cut_off_or_of_another_kind()
    {
        byte[] whole = Message(2, 0, 0);
        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            if (length >= 4)
                BinaryPrimitives.WriteInt32LittleEndian(cut, length);
            // where an attribute ends it is a shorter message, which still must have the tuple
            Assert.Equal(ExpectationDecoder.TryRead(cut, out _, out Expectation? read), read is not null);
        }

        Assert.False(ExpectationDecoder.TryRead(Message(1, 0, 0), out _, out _));
        Assert.False(ExpectationDecoder.TryRead(Message(2, 1, 0), out _, out _));
    }

    private static FlowTuple Tuple(string address, ushort source, ushort destination) => new()
    {
        Source = IpAddress.From(IPAddress.Parse(address)),
        Destination = IpAddress.From(IPAddress.Parse(address)),
        SourcePort = source,
        DestinationPort = destination,
        Protocol = IpProtocol.Tcp,
        Family = FlowFamily.IPv4,
    };

    private static byte[] Message(byte subsystem, byte message, int flags)
    {
        RequestWriter writer = new(new byte[1024]);
        writer.BeginNetfilter(Nfnl.MessageType(subsystem, message), flags, 1, (byte)FlowFamily.IPv4);
        FlowRequest.PutTuple(ref writer, Ctnetlink.CTA_EXPECT_TUPLE, Made.Tuple);
        FlowRequest.PutTuple(ref writer, Ctnetlink.CTA_EXPECT_MASK, Made.Mask);
        FlowRequest.PutTuple(ref writer, Ctnetlink.CTA_EXPECT_MASTER, Made.Master);
        writer.PutU32(Ctnetlink.CTA_EXPECT_TIMEOUT, 300);
        writer.PutU32(Ctnetlink.CTA_EXPECT_ID, 7);
        writer.PutU16(Ctnetlink.CTA_EXPECT_ZONE, 3);
        writer.PutU32(Ctnetlink.CTA_EXPECT_FLAGS, 1);
        writer.PutU32(Ctnetlink.CTA_EXPECT_CLASS, 1);
        writer.PutString(Ctnetlink.CTA_EXPECT_HELP_NAME, "ftp");
        writer.PutString(Ctnetlink.CTA_EXPECT_FN, "nat-follow-master");
        writer.EndMessage();
        return writer.Written.ToArray();
    }
}
