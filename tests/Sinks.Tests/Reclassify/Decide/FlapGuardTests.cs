using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class FlapGuardTests
{
    [Fact]
    public void When_it_is_full_new_keys_wait_for_the_next_look_for_room()
    {
        FlapGuard guard = new(
            budget: 16,
            window: TimeSpan.FromSeconds(10),
            firstPause: TimeSpan.FromSeconds(1),
            longestPause: TimeSpan.FromMinutes(1),
            capacity: 2);
        guard.OnAction(Key(1), now: 9_500);
        guard.OnAction(Key(2), now: 0);
        Assert.False(guard.MayAct(Key(3), now: 9_500, out long pause));
        Assert.Equal(1000, pause);
        Assert.False(guard.MayAct(Key(4), now: 10_499, out pause)); // key 2 is of no use from 10 s on, but nobody has looked since
        Assert.Equal(1, pause);
        Assert.True(guard.MayAct(Key(1), now: 10_499, out _));
        Assert.True(guard.MayAct(Key(4), now: 10_500, out _));
        Assert.Equal(1, guard.Count);
    }

    private static FlapKey Key(uint client) => new(new IpAddress(0, client), default, 443, IpProtocol.Tcp, FlowFamily.IPv4, "wan2");
}
