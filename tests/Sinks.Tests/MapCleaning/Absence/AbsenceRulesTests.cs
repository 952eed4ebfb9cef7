using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Absence;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

/// <summary>The table of docs/safe-deletion.md, row by row.</summary>
public sealed class AbsenceRulesTests
{
    private const long Now = 1_000_000_000_000;
    private const string Forever = "for ever";
    private static readonly TimeSpan TcpPatience = new(2, 4, 0), UdpPatience = TimeSpan.FromMinutes(2);

    // What the entry's end says: by its timer, or deleted with so many seconds left.
    // Then how long its key is kept without last_seen, and with it.
    [Theory]
    [InlineData(IpProtocol.Tcp, TcpState.TimeWait, null, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.Close, null, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.LastAck, null, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.SynSent, null, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.SynReceived, null, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.Established, null, "7440", "7440")]
    [InlineData(IpProtocol.Tcp, TcpState.FinWait, null, "7440", "7440")]
    [InlineData(IpProtocol.Tcp, TcpState.CloseWait, null, "7440", "7440")]
    [InlineData(IpProtocol.Tcp, TcpState.TimeWait, 100u, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.Close, 9u, "0", "0")]
    [InlineData(IpProtocol.Tcp, TcpState.LastAck, 20u, "20", "20")]
    [InlineData(IpProtocol.Tcp, TcpState.SynSent, 100u, "100", "100")]
    [InlineData(IpProtocol.Tcp, TcpState.SynReceived, 50u, "50", "50")]
    [InlineData(IpProtocol.Tcp, TcpState.Established, 431990u, "431990", "431990")]
    [InlineData(IpProtocol.Tcp, TcpState.Established, 100u, "7440", "7440")] // no less than after its timer
    [InlineData(IpProtocol.Tcp, TcpState.CloseWait, 50u, "7440", "7440")]
    [InlineData(IpProtocol.Udp, TcpState.None, null, "120", "120")]
    [InlineData(IpProtocol.Udp, TcpState.None, 20u, "120", "120")]
    [InlineData(IpProtocol.Udp, TcpState.None, 170u, "170", "170")]
    [InlineData(IpProtocol.UdpLite, TcpState.None, null, "120", "120")]
    [InlineData(IpProtocol.Gre, TcpState.None, null, "180", "180")]
    [InlineData((IpProtocol)99, TcpState.None, null, "600", "600")]
    [InlineData(IpProtocol.Icmp, TcpState.None, null, "0", "0")]
    [InlineData(IpProtocol.Icmp, TcpState.None, 25u, "25", "25")]
    [InlineData(IpProtocol.IcmpV6, TcpState.None, null, "0", "0")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.Closed, null, "0", "0")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.Closed, 5u, "0", "0")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.CookieWait, 2u, "2", "2")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.ShutdownAckSent, null, "0", "0")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.Established, null, Forever, "210")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.HeartbeatSent, null, Forever, "210")]
    [InlineData(IpProtocol.Sctp, (TcpState)SctpState.Established, 300u, Forever, "300")]
    public void An_end_means(IpProtocol protocol, TcpState state, uint? left, string kept, string keptWithLastSeen)
    {
        Hold? hold = Rules(new KernelTimeouts()).OfEnd(End(protocol, state, left), Now);
        Assert.Equal((kept, keptWithLastSeen), (Seconds(hold?.Until(hasLastSeen: false, 0)), Seconds(hold?.Until(hasLastSeen: true, 0))));
    }

    [Theory]
    [InlineData(TcpState.Established, null, Forever, "7440")]
    [InlineData(TcpState.Established, 431990u, Forever, "431990")]
    [InlineData(TcpState.CloseWait, null, Forever, "7440")]
    [InlineData(TcpState.SynReceived, 50u, Forever, "50")]
    [InlineData(TcpState.SynSent, 100u, "100", "100")] // another SYN makes an entry
    [InlineData(TcpState.TimeWait, 100u, "0", "0")]
    public void An_end_means_with_tcp_loose_off(TcpState state, uint? left, string kept, string keptWithLastSeen)
    {
        Hold? hold = Rules(new KernelTimeouts { TcpLoose = false }).OfEnd(End(IpProtocol.Tcp, state, left), Now);
        Assert.Equal((kept, keptWithLastSeen), (Seconds(hold?.Until(hasLastSeen: false, 0)), Seconds(hold?.Until(hasLastSeen: true, 0))));
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, true, "432000", "432000")]
    [InlineData(IpProtocol.Tcp, false, Forever, "432000")]
    [InlineData(IpProtocol.Udp, true, "120", "120")]
    [InlineData(IpProtocol.Icmp, true, "30", "30")]
    [InlineData(IpProtocol.Sctp, true, Forever, "210")]
    [InlineData(IpProtocol.Gre, true, "180", "180")]
    public void An_unknown_history_means(IpProtocol protocol, bool loose, string kept, string keptWithLastSeen)
    {
        Hold hold = Rules(new KernelTimeouts { TcpLoose = loose }).OfUnknown(protocol, Now);
        Assert.Equal((kept, keptWithLastSeen), (Seconds(hold.Until(hasLastSeen: false, 0)), Seconds(hold.Until(hasLastSeen: true, 0))));
    }

    [Theory]
    [InlineData(53, FlowStatus.SeenReply, null, "0")]
    [InlineData(53, FlowStatus.None, null, "0")]
    [InlineData(53, FlowStatus.SeenReply | FlowStatus.Assured, null, "120")] // more than question and answer
    [InlineData(53, FlowStatus.SeenReply, 20u, "20")]
    [InlineData(54, FlowStatus.SeenReply, null, "120")] // a server's rare pushes look the same
    public void An_end_of_UDP_means(ushort port, FlowStatus status, uint? left, string kept)
    {
        FlowChange end = End(IpProtocol.Udp, TcpState.None, left);
        (end.Flow.Original.DestinationPort, end.Flow.Status) = (port, status);
        Assert.Equal(kept, Seconds(Rules(new KernelTimeouts()).OfEnd(end, Now)?.Until(hasLastSeen: false, 0)));
    }

    [Fact]
    public void A_use_since_the_end_counts_from_then_on()
    {
        Hold hold = new(Now, 100_000_000_000);
        Assert.Equal("150", Seconds(hold.Until(hasLastSeen: true, Now + 50_000_000_000)));
        Assert.Equal("100", Seconds(hold.Until(hasLastSeen: true, Now - 50_000_000_000)));
    }

    [Fact]
    public void The_kernels_own_patience_bounds_that_with_open_connections()
    {
        KernelTimeouts kernel = new() { TcpEstablished = TimeSpan.FromSeconds(600), UdpStream = TimeSpan.FromSeconds(200) };
        Assert.Equal("600", Seconds(Rules(kernel).OfEnd(End(IpProtocol.Tcp, TcpState.CloseWait, null), Now)?.Until(hasLastSeen: false, 0)));
        Assert.Equal("200", Seconds(Rules(kernel).OfEnd(End(IpProtocol.Udp, TcpState.None, null), Now)?.Until(hasLastSeen: false, 0)));
    }

    [Fact]
    public void Without_a_patience_a_timer_that_has_run_out_is_an_end()
    {
        AbsenceRules rules = new(new KernelTimeouts(), TimeSpan.Zero, TimeSpan.Zero);
        Assert.Null(rules.OfEnd(End(IpProtocol.Udp, TcpState.None, null), Now));
        Assert.Null(rules.OfEnd(End(IpProtocol.Tcp, TcpState.CloseWait, null), Now));
        Assert.NotNull(rules.OfEnd(End(IpProtocol.Udp, TcpState.None, left: 20), Now));
    }

    [Fact]
    public void An_end_by_request_and_one_that_was_only_found_are_deletions()
    {
        FlowChange end = End(IpProtocol.Icmp, TcpState.None, null);
        Assert.False(AbsenceRules.WasDeleted(end));
        Assert.True(AbsenceRules.WasDeleted(end with { Requester = 77 }));
        Assert.True(AbsenceRules.WasDeleted(end with { TimeLeft = 1 }));
        Assert.True(AbsenceRules.WasDeleted(end with { Origin = FlowOrigin.Audit }));
    }

    [Fact]
    public void Sysctls_that_are_not_there_have_the_kernels_defaults()
    {
        Assert.Equal(new KernelTimeouts(), KernelTimeouts.Read(static _ => null));
        Assert.Equal(
            new KernelTimeouts { TcpEstablished = TimeSpan.FromSeconds(86400), TcpLoose = false },
            KernelTimeouts.Read(static name => name switch { "tcp_timeout_established" => 86400, "tcp_loose" => 0, _ => null }));
    }

    private static AbsenceRules Rules(KernelTimeouts kernel) => new(kernel, TcpPatience, UdpPatience);

    private static FlowChange End(IpProtocol protocol, TcpState state, uint? left)
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Original.Protocol = flow.Reply.Protocol = protocol;
        flow.ProtocolState = (byte)state;
        return new FlowChange { Kind = FlowChangeKind.Ended, Flow = flow, Requester = left is null ? 0u : 77u, TimeLeft = left ?? 0 };
    }

    private static string Seconds(long? until) => until switch
    {
        null => "0",
        Hold.Forever => Forever,
        { } time => $"{(time - Now) / 1_000_000_000}",
    };
}
