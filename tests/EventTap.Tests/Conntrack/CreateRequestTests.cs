using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>A request for a flow, read back by the decoder, is that flow: both know the same layout.</summary>
public class CreateRequestTests
{
    [Theory]
    [InlineData("tcp-row")]
    [InlineData("tcp6-destroy")]
    [InlineData("udp-directional-zone-row")]
    [InlineData("udp-zone-row")]
    [InlineData("udp-labels-row")]
    [InlineData("udp-mark-new")]
    [InlineData("icmp-row")]
    [InlineData("icmp6-row")]
    [InlineData("gre-row")]
    [InlineData("sctp-row")]
    [InlineData("udplite6-row")]
    [InlineData("unknown-protocol-row")]
    public void Says_what_the_kernel_said(string name)
    {
        Flow recorded = Decode(Hex.Recorded(name)).Flow;
        Flow written = Decode(Write(recorded)).Flow;
        Assert.Equal(recorded.Original, written.Original);
        Assert.Equal(recorded.Reply, written.Reply);
        Assert.Equal(recorded.Timeout, written.Timeout);
        Assert.Equal(recorded.Mark, written.Mark);
        Assert.Equal(recorded.ProtocolState, written.ProtocolState);
        Assert.Equal((recorded.OriginalTcpFlags, recorded.OriginalWindowScale), (written.OriginalTcpFlags, written.OriginalWindowScale));
        Assert.Equal(recorded.Extras?.SctpOriginalTag, written.Extras?.SctpOriginalTag);
        Assert.Equal(recorded.Extras?.Labels, written.Extras?.Labels);
        Assert.True(written.Status.HasFlag(FlowStatus.Confirmed));
        Assert.False(written.Status.HasFlag(FlowStatus.SourceNatDone));
    }

    [Fact]
    public void Nat_is_undone_in_the_reply_tuple_and_asked_for_beside_it()
    {
        Flow recorded = Decode(Hex.Recorded("tcp-dnat-destroy")).Flow;
        byte[] request = Write(recorded);
        Flow written = Decode(request).Flow;
        Assert.Equal(8081, written.Reply.SourcePort);
        AttributeReader attributes = new(request.AsSpan(20));
        while (attributes.Next() && attributes.Type != Ctnetlink.CTA_NAT_DST)
        {
        }

        Assert.Equal(Hex.Parse("""
            08 00 01 00  7f 00 00 01 // CTA_NAT_V4_MINIP
            08 00 02 00  7f 00 00 01 // CTA_NAT_V4_MAXIP
            14 00 03 80 // CTA_NAT_PROTO
            06 00 01 00  1f 90 00 00 //   CTA_PROTONAT_PORT_MIN
            06 00 02 00  1f 90 00 00 //   CTA_PROTONAT_PORT_MAX
            """), attributes.Value);
    }

    [Fact]
    public void Helper_and_master_are_sent()
    {
        Assert.Equal("ftp", Decode(Write(Decode(Hex.Recorded("ftp-control-row")).Flow)).Flow.Extras!.Helper);
        Flow data = Decode(Hex.Recorded("ftp-data-row")).Flow;
        Assert.Equal(data.Extras!.Master, Decode(Write(data)).Flow.Extras!.Master);
    }

    private static byte[] Write(in Flow flow)
    {
        RequestWriter request = new(new byte[1024]);
        request.BeginNetfilter(0x0100, Nlmsg.NLM_F_CREATE, 1, (byte)flow.Original.Family);
        CreateRequest.Put(ref request, flow);
        request.EndMessage();
        return request.Written.ToArray();
    }

    private static FlowEvent Decode(byte[] message)
    {
        FlowBatch batch = new();
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(message, batch, 0));
        return batch.Span[0];
    }
}
