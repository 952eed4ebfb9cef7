using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.EventTap.Tests;

public class TapOptionsTests
{
    public static TheoryData<TapOptions, string> Faults => new()
    {
        { new() { ReceiveBufferBytes = 0 }, "ReceiveBufferBytes is 0, it must be above 0" },
        { new() { BatchDelay = TimeSpan.FromSeconds(2) }, "BatchDelay is 00:00:02, it must be 0 to 1 s" },
        { new() { Reconnect = new() { InitialDelay = TimeSpan.Zero } }, "InitialDelay is 00:00:00, it must be above 0" },
        {
            new() { Reconnect = new() { MaxDelay = TimeSpan.FromSeconds(1) } },
            "MaxDelay is 00:00:01, it must be from InitialDelay (00:00:05) to 1 day"
        },
        { new() { Reconnect = new() { Factor = double.NaN } }, "Factor is NaN, it must be at least 1" },
        { new() { Reconnect = new() { Jitter = 1.5 } }, "Jitter is 1.5, it must be 0 to 1" },
        { new() { Reconnect = new() { HealthyAfter = TimeSpan.FromSeconds(-1) } }, "HealthyAfter is -00:00:01, it must not be negative" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_value_out_of_range_is_refused_by_name(TapOptions options, string fault)
    {
        ChannelWriter<TapMessage> channel = Channel.CreateBounded<TapMessage>(1).Writer;
        ArgumentException thrown = Assert.Throws<ArgumentException>(
            () => new ConntrackTap(options, channel, new FlowBatchPool(), TimeProvider.System, NullLogger<ConntrackTap>.Instance));
        Assert.StartsWith(fault, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_valid() => Assert.Null(new TapOptions().FindFault());

    [Fact]
    public void The_default_receive_buffer_holds_a_table_or_a_sixteenth_of_the_memory()
    {
        long bytes = SocketBuffer.DefaultBytes();
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        Assert.InRange(memory, 1 << 24, long.MaxValue); // known before the first collection too
        Assert.True(bytes == memory / 16 || (bytes > 0 && bytes % SocketBuffer.BytesPerEvent == 0 && bytes < memory / 16));
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_named()
    {
        NetlinkException thrown = Assert.Throws<NetlinkException>(() => NetworkNamespace.Open("cs-no-such"));
        Assert.Equal(Errno.ENOENT, thrown.Errno);
        Assert.Contains("'cs-no-such'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("/run/netns/cs-no-such does not exist", thrown.Message, StringComparison.Ordinal);
        Assert.Same(NetworkNamespace.Current, NetworkNamespace.Open(""));
    }
}
