using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>A flow whose client does not send is not deleted: nothing would make it anew.</summary>
public sealed class IdleClientTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_old_flow_goes_only_while_its_client_sends(bool isSending)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.StartTime -= 3_600_000_000_000;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        for (int i = 0; i < 10; i++)
        {
            world.Pass(0.2);
            if (isSending && world.DeletedFlows.Count == 0)
                world.Send(flow);
        }

        Assert.Equal(isSending ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isSending ? 0 : 1, world.Counters.Of(Refusal.Idle));
    }

    [Theory]
    [InlineData(1, 52, false)] // the server pushes now and then: after a deletion its next packet would come first
    [InlineData(20, 52, true)] // a download: the next acknowledgement comes at once
    [InlineData(1, 120, true)]
    public void A_client_that_only_acknowledges_is_idle_unless_it_is_busy_with_it(int packets, int bytes, bool isActive)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.StartTime -= 3_600_000_000_000;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        world.Pass(0.5);
        world.Send(flow, (ulong)packets, (ulong)bytes);
        world.Pass(0.6);
        Assert.Equal(isActive ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isActive ? 0 : 1, world.Counters.Of(Refusal.Idle));
    }

    [Theory]
    [InlineData(IpProtocol.Udp, 1, false)] // the answer may be on its way, and needs the entry
    [InlineData(IpProtocol.Udp, 2, true)]
    [InlineData(IpProtocol.Tcp, 1, true)] // a SYN is sent again
    public void A_query_is_left_to_its_answer_until_its_client_sends_more(IpProtocol protocol, int packets, bool isActive)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow(protocol: protocol);
        flow.OriginalPackets = (ulong)packets;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        Assert.Equal(isActive ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isActive ? 0 : 1, world.Counters.Of(Refusal.Idle));
        world.Pass(5);
        Assert.Equal(isActive ? 1 : 0, world.DeletedFlows.Count);
        if (isActive)
            return;
        world.Send(flow);
        world.Pass(5);
        Assert.Single(world.DeletedFlows);
    }

    [Theory]
    [InlineData(432_000u, 1)]
    [InlineData(431_000u, 0)]
    [InlineData(300u, 1)] // data is not acknowledged
    [InlineData(290u, 0)]
    [InlineData(500_000u, 1)] // the setting was lowered since
    public void Without_accounting_the_timeout_tells_idleness(uint timeout, int deleted)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.Present &= ~(FlowFields.Counters | FlowFields.StartTime);
        flow.Present |= FlowFields.Timeout;
        flow.Timeout = timeout;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        Assert.Equal(deleted, world.DeletedFlows.Count);
    }
}
