using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests;

public sealed class FlowCensusTests
{
    private readonly ViewHarness _h = new();

    [Fact]
    public void A_flow_of_which_only_its_new_is_known_is_in_no_state_yet()
    {
        _h.Context.Synced = true;
        _h.New(Tcp(1, TcpState.SynSent));
        _h.New(ViewHarness.Udp(2));
        Assert.Equal(["tcp NEW 1", "udp NEW 1"], Count(), StringComparer.Ordinal);
        _h.Apply(FlowEventType.Update, Tcp(1, TcpState.Established));
        Flow udp = ViewHarness.Udp(2);
        udp.Status = FlowStatus.SeenReply;
        _h.Apply(FlowEventType.Update, udp);
        Assert.Equal(["tcp ESTABLISHED 1", "udp REPLIED 1"], Count(), StringComparer.Ordinal);
        _h.Destroy(udp);
        Assert.Equal(["tcp ESTABLISHED 1"], Count(), StringComparer.Ordinal);
    }

    [Fact]
    public void A_dump_shows_the_states_but_what_it_has_not_proven_yet_does_not_count()
    {
        _h.New(Tcp(1, TcpState.SynSent));
        _h.View.OpenRound();
        _h.Row(Tcp(1, TcpState.TimeWait));
        Flow assured = ViewHarness.Udp6(2);
        assured.Status = FlowStatus.SeenReply | FlowStatus.Assured;
        _h.Row(assured);
        _h.Row(Of(3, (IpProtocol)253));
        _h.Row(Of(4, (IpProtocol)254));
        Flow stateless = Tcp(5, TcpState.None);
        stateless.Present &= ~FlowFields.ProtocolState;
        _h.Row(stateless);
        Assert.Equal(["tcp TIME_WAIT 1"], Count(), StringComparer.Ordinal); // the others are provisional
        _h.Settle();
        Assert.Equal(["tcp TIME_WAIT 1", "tcp UNKNOWN 1", "udp ASSURED 1", "other UNREPLIED 2"], Count(), StringComparer.Ordinal);
    }

    [Fact]
    public void The_usual_protocols_have_all_their_states_from_the_start()
    {
        (string Protocol, string State, long Flows)[] none = [.. new FlowStateCounts().Read()];
        Assert.Equal(
            ["icmp", "icmpv6", "tcp", "udp"],
            none.Select(static one => one.Protocol).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        Assert.Equal(10 + 2, none.Count(static one => one.Protocol == "tcp")); // TCP_CONNTRACK_MAX, NEW and UNKNOWN
        Assert.Equal(
            ["UNREPLIED", "REPLIED", "ASSURED", "NEW"], none.Where(static one => one.Protocol == "udp").Select(static one => one.State),
            StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_large_view_is_counted_in_many_steps()
    {
        for (int i = 0; i < 5000; i++)
            _h.New(ViewHarness.Udp((ushort)i));
        FlowCensus census = new(_h.View);
        int steps = 1;
        while (census.Step() == LoopWorkState.Busy)
            steps++;
        Assert.InRange(steps, 5, 20);
        Assert.Equal(5000, (await census.Result).Read().Sum(static one => one.Flows));
    }

    [Fact]
    public async Task The_pipeline_counts_beside_the_events()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync;
        kernel.Event(FlowEventType.New, ViewHarness.Udp(1));
        await kernel.SettleAsync();
        FlowStateCounts counts = await kernel.Pipeline.CountStatesAsync(TestContext.Current.CancellationToken);
        Assert.Equal(("udp", "NEW", 1L), Assert.Single(counts.Read(), static one => one.Flows > 0));
    }

    private static Flow Of(ushort port, IpProtocol protocol)
    {
        Flow flow = ViewHarness.Udp(port);
        flow.Original = flow.Original with { Protocol = protocol };
        flow.Reply = flow.Reply with { Protocol = protocol };
        return flow;
    }

    private static Flow Tcp(ushort port, TcpState state)
    {
        Flow flow = Of(port, IpProtocol.Tcp);
        flow.ProtocolState = (byte)state;
        flow.Present |= FlowFields.ProtocolState;
        return flow;
    }

    private string[] Count()
    {
        FlowCensus census = new(_h.View);
        while (census.Step() == LoopWorkState.Busy)
        {
        }

        return [.. census.Result.Result.Read().Where(static one => one.Flows > 0)
            .Select(static one => $"{one.Protocol} {one.State} {one.Flows}")];
    }
}
