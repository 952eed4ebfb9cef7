using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>A flow whose client does not send is not deleted: nothing would make its entry again, or the wrong end would.</summary>
public sealed class IdleClientTests
{
    private readonly ScriptedWorld _world = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flow_of_datagrams_goes_only_while_its_client_sends(bool isSending)
    {
        Flow flow = _world.Flow(protocol: IpProtocol.Udp);
        flow.StartTime -= 60_000_000_000;
        Begin(flow);
        for (int i = 0; i < 10; i++)
        {
            _world.Pass(0.1);
            if (isSending && _world.DeletedFlows.Count == 0)
                _world.Send(flow);
        }

        Assert.Equal(isSending ? 1 : 0, _world.DeletedFlows.Count);
        Assert.Equal(isSending ? 0 : 1, _world.Counters.Of(Refusal.Idle));
    }

    [Fact]
    public void While_it_asks_for_a_connection_it_is_the_clients_turn()
    {
        Flow flow = _world.Flow();
        flow.OriginalPackets = 1;
        Begin(flow);
        Assert.Single(_world.DeletedFlows);
    }

    [Theory]
    [InlineData(1, false)] // the answer may be on its way, and needs the entry
    [InlineData(2, true)]
    public void A_query_is_left_to_its_answer_until_its_client_sends_more(int packets, bool isActive)
    {
        Flow flow = _world.Flow(protocol: IpProtocol.Udp);
        flow.OriginalPackets = (ulong)packets;
        Begin(flow);
        Assert.Equal(isActive ? 1 : 0, _world.DeletedFlows.Count);
        Assert.Equal(isActive ? 0 : 1, _world.Counters.Of(Refusal.Idle));
        _world.Pass(5);
        Assert.Equal(isActive ? 1 : 0, _world.DeletedFlows.Count);
        if (isActive)
            return;
        _world.Send(flow);
        _world.Pass(5);
        Assert.Single(_world.DeletedFlows);
    }

    /// <summary>A flow that its destination's set already moves.</summary>
    private void Begin(in Flow flow)
    {
        _world.Table[flow.Original] = flow;
        _world.Set.Add(1);
        _world.Start(flow);
    }
}
