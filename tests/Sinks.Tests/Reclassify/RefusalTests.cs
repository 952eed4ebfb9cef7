using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>What is left alone, and why; what is done in place of the usual.</summary>
public sealed class RefusalTests
{
    [Fact]
    public void A_successor_with_the_same_tuple_is_not_touched()
    {
        ScriptedWorld world = new();
        Flow old = world.Flow();
        world.Start(old);
        world.Flow(); // another id
        world.Set.Add(1);
        world.Pass(6);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.Gone));
    }

    /// <summary>Sets are filled at the start, and a flow that shows what the wanted path translates may come last in the dump.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_flow_of_a_dump_is_re_marked_before_its_end(bool isTranslated)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        world.Start(flow, FlowOrigin.Dump);
        world.Pass(0.5);
        world.Start(world.Flow(destination: 9, mark: ScriptedWorld.Wan2, port: 41000, isRouted: !isTranslated), FlowOrigin.Dump);
        Assert.Empty(world.Remarked);
        world.Pass(2);
        Assert.Equal(isTranslated ? (0, 1) : (1, 0), (world.Remarked.Count, world.DeletedFlows.Count));
    }

    [Theory]
    [InlineData("closing")]
    [InlineData("destination_nat")]
    [InlineData("helper")]
    [InlineData("protocol")]
    [InlineData("no_mark")]
    public void What_would_harm_is_refused(string reason)
    {
        ScriptedWorld world = new(wan2: reason == "no_mark" ? new UplinkPath { Name = "wan2", Devices = ["wan2"] } : null);
        world.Set.Add(1);
        Flow flow = world.Flow(protocol: reason == "protocol" ? IpProtocol.Sctp : IpProtocol.Tcp, isRouted: reason == "no_mark");
        switch (reason)
        {
            case "closing":
                flow.ProtocolState = (byte)TcpState.FinWait;
                break;
            case "destination_nat":
                flow.Reply.Source = flow.Original.Source;
                break;
            case "helper":
                flow.Extras = new FlowExtras { Helper = "ftp" };
                break;
        }

        world.Table[flow.Original] = flow;
        world.Start(flow);
        world.Pass(300);
        Assert.Empty(world.DeletedFlows);
        Assert.Empty(world.Remarked);
        Assert.Single(
            world.Log.Lines,
            line => line.StartsWith("Refused tcp src=10.0.0.2", StringComparison.Ordinal)
                || line.StartsWith("Refused sctp", StringComparison.Ordinal));
        Assert.Contains(world.Log.Lines, line => line.Contains($": {reason}", StringComparison.Ordinal));
    }

    /// <summary>Only what is not translated and in a flow table is deleted beyond its SYN.</summary>
    [Theory]
    [InlineData(TcpState.SynSent, true, 1)]
    [InlineData(TcpState.Established, true, 1)]
    [InlineData(TcpState.SynSent, false, 1)]
    [InlineData(TcpState.Established, false, 0)]
    public void What_is_deleted_needs_loose_tracking(TcpState state, bool isLoose, int deleted)
    {
        ScriptedWorld world = new() { IsTcpLoose = isLoose };
        world.Set.Add(1);
        Flow flow = world.Flow(state: state, isRouted: true);
        flow.Status |= FlowStatus.Offload;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        if (world.Table.ContainsKey(flow.Original))
            world.Send(flow);
        world.Pass(0.5);
        Assert.Equal(deleted, world.DeletedFlows.Count);
        Assert.Equal(1 - deleted, world.Counters.Of(Refusal.TcpLoose));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_reset_needs_no_loose_tracking(bool isLoose)
    {
        ScriptedWorld world = new() { IsTcpLoose = isLoose };
        world.Set.Add(1);
        world.Start(world.Flow(state: TcpState.Established));
        Assert.Single(world.Armed);
    }

    /// <summary>Its entry would keep the private source.</summary>
    [Theory]
    [InlineData(IpProtocol.Tcp)]
    [InlineData(IpProtocol.Udp)]
    public void A_flow_that_is_not_translated_gets_another_entry_where_the_wanted_path_translates(IpProtocol protocol)
    {
        ScriptedWorld world = new(
            wan2: new UplinkPath
            {
                Name = "wan2",
                Mark = new MarkMatch(ScriptedWorld.Wan2, 0x3f00),
                Sources = [new IpPrefix(ScriptedWorld.ScriptedSet.Address(200), 32, FlowFamily.IPv4)],
            });
        world.Set.Add(1);
        world.Start(world.Flow(isRouted: true, protocol: protocol, state: TcpState.Established));
        Assert.Empty(world.Remarked);
        Assert.Equal(protocol == IpProtocol.Tcp ? (1, 0) : (0, 1), (world.Armed.Count, world.DeletedFlows.Count));
    }

    [Theory]
    [InlineData(FlowStatus.Offload)]
    [InlineData(FlowStatus.HardwareOffload)]
    public void A_flow_whose_packets_pass_the_rules_by_is_deleted_not_marked(FlowStatus status)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        flow.Status |= status;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        Assert.Empty(world.Remarked);
        Assert.Single(world.DeletedFlows);
    }

    /// <summary>As a modem's that the network configuration does not tell the device of.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_flow_is_moved_to_a_path_of_which_nothing_is_known(bool isUnknown)
    {
        ScriptedWorld world = new(wan2: new UplinkPath { Name = "wan2", Devices = isUnknown ? [] : ["wwan0"] });
        world.Set.Add(1);
        world.Start(world.Flow(state: TcpState.Established));
        world.Start(world.Flow(protocol: IpProtocol.Udp));
        world.Pass(10);
        Assert.Equal(isUnknown ? (0, 0) : (1, 1), (world.Armed.Count, world.DeletedFlows.Count));
        Assert.Equal(
            isUnknown,
            world.Log.Lines.Any(static line =>
                line.Contains(": path_down (neither its device nor its mark nor an address is known)", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_path_that_comes_up_is_taken_then()
    {
        ScriptedWorld world = new() { Proof = Refusal.PathDown };
        world.Set.Add(1);
        Flow flow = world.Flow();
        world.Start(flow);
        world.Pass(10);
        Assert.Empty(world.DeletedFlows);
        world.Proof = Refusal.None;
        world.Pass(20);
        Assert.Single(world.DeletedFlows);
        Assert.Single(world.Log.Lines, line => line.Contains(": path_down", StringComparison.Ordinal)); // told once
    }

    [Fact]
    public void A_kernel_that_fails_is_asked_again_later()
    {
        ScriptedWorld world = new() { Failure = new NetlinkException("reading conntrack entry", Errno.ENOBUFS) };
        world.Set.Add(1);
        Flow flow = world.Flow();
        world.Start(flow);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.KernelError));
        world.Pass(2);
        Assert.Single(world.DeletedFlows);
    }
}
