using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class ClientActivityTests
{
    [Theory]
    [InlineData(101, 100_500, 51, 50_200, true)]
    [InlineData(101, 100_500, 51, 50_052, false)] // a question, and not yet an answer
    [InlineData(101, 100_500, 50, 50_000, false)]
    [InlineData(100, 100_000, 50, 50_000, false)]
    [InlineData(100, 100_000, 51, 50_500, false)]
    [InlineData(101, 100_080, 51, 50_500, false)] // an acknowledgement
    [InlineData(108, 100_640, 66, 75_000, true)] // so many belong to a transfer
    [InlineData(108, 112_000, 58, 50_640, true)]
    [InlineData(0, 0, 0, 0, false)] // conntrack -z, and silence since
    [InlineData(3, 200, 3, 200, false)] // conntrack -z, and what was sent since cannot be told
    public void A_client_that_sends_is_told_by_the_counters(ulong packets, ulong bytes, ulong replyPackets, ulong replyBytes, bool isActive)
    {
        string? idle = At(100, 100_000, 50, 50_000).IdleUntil(At(packets, bytes, replyPackets, replyBytes), FlowFamily.IPv4, IpProtocol.Tcp);
        Assert.Equal(isActive, idle is null);
    }

    [Theory]
    [InlineData(101, true)]
    [InlineData(100, false)]
    public void Datagrams_need_no_answer(ulong packets, bool isActive) =>
        Assert.Equal(isActive, At(100, 100_000, 50, 50_000).IdleUntil(At(packets, 100_000, 50, 50_000), FlowFamily.IPv4, IpProtocol.Udp) is null);

    private static ClientActivity At(ulong packets, ulong bytes, ulong replyPackets, ulong replyBytes) => ClientActivity.Of(
        new Flow { OriginalPackets = packets, OriginalBytes = bytes, ReplyPackets = replyPackets, ReplyBytes = replyBytes });
}
