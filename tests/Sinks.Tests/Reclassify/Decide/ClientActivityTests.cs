using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class ClientActivityTests
{
    [Theory]
    [InlineData(100, 100_000, 101, 100_500, true)]
    [InlineData(100, 100_000, 100, 100_000, false)]
    [InlineData(100, 100_000, 101, 100_080, false)] // an acknowledgement
    [InlineData(100, 100_000, 108, 100_640, true)] // so many a second belong to a transfer
    [InlineData(100, 100_000, 0, 0, false)] // conntrack -z, and silence since
    [InlineData(100, 100_000, 3, 200, false)] // conntrack -z, and what was sent since cannot be told
    public void A_client_that_sends_is_told_by_the_counters(ulong packets, ulong bytes, ulong laterPackets, ulong laterBytes, bool isActive)
    {
        string? idle = At(packets, bytes).IdleUntil(At(laterPackets, laterBytes), FlowFamily.IPv4, IpProtocol.Tcp);
        Assert.Equal(isActive, idle is null);
    }

    private static ClientActivity At(ulong packets, ulong bytes) => ClientActivity.Of(new Flow { OriginalPackets = packets, OriginalBytes = bytes });
}
