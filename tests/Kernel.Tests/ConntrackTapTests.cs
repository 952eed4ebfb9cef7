using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

[Collection("Kernel")]
public partial class ConntrackTapTests
{
    private const string RootReason = "network namespaces need root";

    [Fact]
    public async Task New_and_destroy_arrive_once_each_and_before_the_barrier()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        space.Track();
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network });
        await harness.StartAsync();

        space.SendUdp(1000);
        await harness.DrainAsync();
        Assert.Equal(1000, harness.Of(FlowEventType.New).Select(e => e.Flow.Original).Distinct().Count());
        Assert.Equal(1000, harness.Events.Count);

        space.Flush();
        await harness.DrainAsync();
        Assert.Equal(1000, harness.Of(FlowEventType.Destroy).Select(e => e.Flow.Original).Distinct().Count());
        Assert.Equal(2000, harness.Events.Count);
        TapCounters counters = harness.Tap.Counters;
        Assert.Equal((1000, 1000, 0, 0), (counters.New, counters.Destroy, counters.Update, counters.Foreign));
        Assert.Equal((0, 0), (counters.Lost, counters.Malformed));
    }

    [Fact]
    public async Task Updates_come_only_when_asked_for()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        space.Track();
        await using TapHarness without = new(new TapOptions { Namespace = space.Network });
        await using TapHarness with = new(new TapOptions { Namespace = space.Network, Updates = true });
        await without.StartAsync();
        await with.StartAsync();

        space.Network.Run(SendAndAnswer);
        await without.DrainAsync();
        await with.DrainAsync();
        Assert.Equal([FlowEventType.New], without.Events.Select(e => e.Type));
        Assert.Equal([FlowEventType.New, FlowEventType.Update], with.Events.Select(e => e.Type));
        Assert.True(with.Events[1].Flow.Status.HasFlag(FlowStatus.SeenReply));
    }

    [Fact]
    public async Task An_overrun_is_counted_exactly_and_its_bounds_hold()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        const int before = 20, storm = 30000;
        using TapTestNamespace space = new();
        space.Track();
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network, ReceiveBufferBytes = 64 * 1024 }, capacity: 1);
        await harness.StartAsync();
        space.SendUdp(before, host: 1);
        await harness.DrainAsync();
        Assert.Equal(before, harness.Events.Count);

        long started = UnixTime.UnixNanoseconds(TimeProvider.System);
        space.SendUdp(storm, host: 2); // the channel takes one batch, then the reader is held up and the small buffer runs over
        long ended = UnixTime.UnixNanoseconds(TimeProvider.System) + UnixTime.ClockResolution;
        Assert.Equal(before + storm, space.Count());
        await harness.DrainAsync();

        TapMessage[] overruns = [.. harness.Of(TapMessageKind.Overrun)];
        long lost = overruns.Sum(o => o.Lost);
        Assert.True(lost > 0, "something was lost");
        Assert.Equal(before + storm, harness.Events.Count + lost);
        Assert.Equal(lost, harness.Tap.Counters.Lost);
        Assert.All(overruns, o => Assert.True(o.From < o.To && o.To >= started && o.From <= ended, "the loss lies in the storm"));
        Assert.All(
            overruns.Zip(overruns.Skip(1)),
            pair => Assert.True(pair.First.From < pair.Second.From && pair.First.To <= pair.Second.To, "in order"));

        // Not congested: all that comes once there is room again arrives.
        int received = harness.Events.Count;
        space.SendUdp(before, host: 3);
        await harness.DrainAsync();
        Assert.Equal(received + before, harness.Events.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_NETLINK_NO_ENOBUFS_a_partial_drain_does_not_bring_delivery_back(bool option)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        space.Track();
        using TapSocket socket = TapSocket.Open(
            new TapOptions { Namespace = space.Network, ReceiveBufferBytes = 400 * SocketBuffer.BytesPerEvent },
            TimeProvider.System,
            NullLogger.Instance);
        if (!option)
            socket.Netlink.SetOption(NetlinkOption.NETLINK_NO_ENOBUFS, 0);

        SocketDrops drops = new(socket.Netlink);
        byte[] buffer = new byte[4096];
        space.SendUdp(1000, host: 1);
        uint lost = drops.ReadIncrease();
        Assert.InRange(lost, 1u, 999u);
        if (!option)
            Assert.Equal(-(int)Errno.ENOBUFS, socket.Netlink.Receive(buffer, out _, wait: false));
        for (int i = 0; i < 64; i++) // room for 64 again, and more in the queue
            Assert.InRange(socket.Netlink.Receive(buffer, out _, wait: false), 1, buffer.Length);
        space.SendUdp(30, host: 2);
        Assert.Equal(option ? 0u : 30u, drops.ReadIncrease());
    }

    [Fact]
    public async Task What_the_kernel_cannot_judge_is_filtered_in_user_space_and_marks_are_left_alone()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        FlowFilter filter = new() { Protocols = [IpProtocol.Udp], Nat = NatMatch.Destination, Marks = [new MarkMatch(77)] };
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network, Filter = filter });
        await harness.StartAsync();

        space.Load(
        [
            "-I -t 300 -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2",
            "-I -t 300 -p udp -s 10.0.0.1 -d 10.0.0.3 -r 10.0.0.9 -q 10.0.0.1 --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1",
            "-I -t 300 -p tcp -s 10.0.0.1 -d 10.0.0.4 --sport 1 --dport 2 --state ESTABLISHED",
        ]);
        await harness.DrainAsync();
        FlowEvent only = Assert.Single(harness.Events);
        Assert.Equal(IPAddress.Parse("10.0.0.3"), only.Flow.Original.Destination.ToIPAddress(FlowFamily.IPv4));
        Assert.Equal(1, harness.Tap.Counters.Filtered);
    }

    [Fact]
    public async Task Messages_of_other_processes_are_ignored_and_counted()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        TapOptions options = new() { Namespace = space.Network };
        TapSocket? opened = null;
        await using TapHarness harness = new(options, open: () => opened = Open(options));
        await harness.StartAsync();
        using (NetlinkSocket stranger = space.Network.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER)))
        {
            byte[] message = [16, 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]; // nlmsg_len 16, IPCTNL_MSG_CT_NEW
            Assert.Equal(Errno.None, stranger.Send(message, opened!.Netlink.PortId));
        }

        await harness.DrainAsync();
        Assert.Equal(1, harness.Tap.Counters.Foreign);
        Assert.Empty(harness.Events);
    }

    [Fact]
    public async Task Barriers_come_in_order_even_when_asked_for_faster_than_the_queue_takes_them()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network, ReceiveBufferBytes = 8 * 1024 });
        await harness.StartAsync();
        for (long token = 1; token <= 200; token++)
            Assert.True(harness.Tap.RequestBarrier(token));
        await harness.ReadUntilAsync(m => m.Token == 200);
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), harness.Of(TapMessageKind.Barrier).Select(m => m.Token));
    }

    [Fact]
    public async Task A_broken_socket_is_replaced_and_events_flow_again()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        TapOptions options = new() { Namespace = space.Network };
        TapSocket? opened = null;
        TaskCompletionSource asked = new(); // before the next socket is there, or it would be the one that is asked
        await using TapHarness harness = new(options, open: () =>
        {
            if (opened is not null)
                asked.Task.Wait(TestContext.Current.CancellationToken);
            return opened = Open(options);
        });
        await harness.StartAsync();
        space.Load(["-I -t 300 -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2"]);
        await harness.DrainAsync();
        long good = UnixTime.UnixNanoseconds(TimeProvider.System);

        Break(opened!);
        harness.Tap.RequestBarrier(99);
        asked.SetResult();
        TapMessage failed = await harness.ReadUntilAsync(m => m.Kind == TapMessageKind.Disconnected);
        Assert.Equal(Errno.ENOTSOCK, Assert.IsType<NetlinkException>(failed.Error).Errno);
        Assert.True(failed.From <= UnixTime.UnixNanoseconds(TimeProvider.System) && failed.To >= good && failed.From < failed.To);
        await harness.ReadUntilAsync(m => m.Kind == TapMessageKind.Connected);

        space.Load(["-I -t 300 -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 3"]);
        await harness.DrainAsync();
        Assert.Equal([2, 3], harness.Events.Select(e => (int)e.Flow.Original.DestinationPort));
        Assert.DoesNotContain(harness.Messages, m => m.Token == 99); // forgotten with its socket
        Assert.Equal(1, harness.Tap.Counters.Reconnects);
    }

    [Fact]
    public async Task Stop_during_a_reconnect_returns_and_start_works_again()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        TapOptions options = new()
        {
            Namespace = space.Network,
            Reconnect = new TapReconnectOptions { InitialDelay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1) },
        };
        TapSocket? opened = null;
        TaskCompletionSource refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool refuse = false;
        await using TapHarness harness = new(options, open: () =>
        {
            if (refuse)
            {
                refused.TrySetResult();
                throw new NetlinkException("opening", Errno.ENOMEM);
            }

            return opened = Open(options);
        });
        await harness.StartAsync();
        refuse = true;
        Break(opened!);
        harness.Tap.RequestBarrier(1);
        await refused.Task.WaitAsync(harness.Guard);
        Assert.False(harness.Tap.RequestBarrier(2));
        await harness.Tap.StopAsync().WaitAsync(harness.Guard);
        Assert.Equal(1, harness.Tap.Counters.FailedReconnects);

        refuse = false;
        await harness.StartAsync();
        await harness.DrainAsync();
    }

    [Fact]
    public async Task Stop_frees_a_waiting_reader_and_one_held_up_by_a_full_channel()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        space.Track();
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network }, capacity: 1);
        await harness.StartAsync();
        await harness.Tap.StartAsync(harness.Guard); // does nothing
        await harness.DrainAsync();
        await harness.Tap.StopAsync().WaitAsync(harness.Guard);
        await harness.Tap.StopAsync().WaitAsync(harness.Guard);
        Assert.False(harness.Tap.RequestBarrier(9));

        await harness.StartAsync();
        space.SendUdp(2000);
        await harness.WhenFullAsync();
        await harness.Tap.StopAsync().WaitAsync(harness.Guard);
    }

    [Fact]
    public async Task The_first_open_fails_fast()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        await using TapHarness harness = new(
            new TapOptions { Namespace = space.Network }, open: () => throw new NetlinkException("opening", Errno.EPROTONOSUPPORT));
        NetlinkException thrown = await Assert.ThrowsAsync<NetlinkException>(() => harness.Tap.StartAsync(harness.Guard));
        Assert.Equal(Errno.EPROTONOSUPPORT, thrown.Errno);
        await harness.Tap.StopAsync();
    }

    [Fact]
    public void A_namespace_is_entered_only_by_the_thread_made_for_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, RootReason);
        using TapTestNamespace space = new();
        Assert.Equal("lo", space.Network.Run(Interfaces));
        string outside = NamespaceId();
        Assert.NotEqual(outside, space.Network.Run(NamespaceId), StringComparer.Ordinal);
        Assert.Equal(outside, NamespaceId());
        Assert.Equal(outside, NetworkNamespace.Current.Run(NamespaceId));
        Assert.Throws<InvalidTimeZoneException>(() => space.Network.Run(() => throw new InvalidTimeZoneException()));
        using NetworkNamespace wrong = NetworkNamespace.OpenPath("/proc/self/ns/mnt");
        Assert.Equal(Errno.EINVAL, Assert.Throws<NetlinkException>(() => wrong.Run(NamespaceId)).Errno);
    }

    private static void SendAndAnswer()
    {
        using Socket left = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using Socket right = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        left.Bind(new IPEndPoint(IPAddress.Loopback, 1000));
        right.Bind(new IPEndPoint(IPAddress.Loopback, 2000));
        left.SendTo([1], right.LocalEndPoint!);
        right.SendTo([2], left.LocalEndPoint!);
    }

    private static string Interfaces() =>
        string.Join(",", File.ReadAllLines("/proc/thread-self/net/dev").Skip(2).Select(line => line.Split(':')[0].Trim()));

    private static string NamespaceId() => new FileInfo("/proc/thread-self/ns/net").LinkTarget!;

    private static TapSocket Open(TapOptions options) => TapSocket.Open(options, TimeProvider.System, NullLogger.Instance);

    // Another file under the descriptor's number: every call on it fails from now on, and nothing else can be given the number.
    private static void Break(TapSocket socket)
    {
        using WakeEvent notASocket = new();
        Assert.NotEqual(-1, dup2((int)notASocket.Handle.DangerousGetHandle(), (int)socket.Netlink.Handle.DangerousGetHandle()));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);
}
