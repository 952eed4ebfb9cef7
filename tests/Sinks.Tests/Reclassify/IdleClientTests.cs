using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>A flow whose client does not send, or whose server is about to, is not deleted: nothing would make it anew, or the wrong end would.</summary>
public sealed class IdleClientTests
{
    private readonly ScriptedWorld _world = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_goes_only_while_its_client_sends(bool isSending)
    {
        Flow flow = Begin(Established());
        for (int i = 0; i < 10; i++)
        {
            _world.Pass(0.1);
            if (isSending && _world.DeletedFlows.Count == 0)
                _world.Exchange(flow);
        }

        Assert.Equal(isSending ? 1 : 0, _world.DeletedFlows.Count);
        Assert.Equal(isSending ? 0 : 1, _world.Counters.Of(Refusal.Idle));
    }

    [Theory]
    [InlineData(1, 52, 1, 500, "only acknowledges what the server sends")] // it pushes now and then: after a deletion its next packet would come first
    [InlineData(20, 52, 30, 1500, null)] // a download: the next acknowledgement comes at once
    [InlineData(1, 120, 1, 120, null)]
    [InlineData(1, 120, 1, 52, "waits for the server's answer")]
    [InlineData(20, 1500, 10, 52, null)] // an upload
    public void The_next_packet_must_be_the_clients(int packets, int bytes, int replyPackets, int replyBytes, string? idle)
    {
        Flow flow = Begin(Established());
        _world.Pass(0.2);
        _world.Exchange(flow, (ulong)packets, (ulong)bytes, (ulong)replyPackets, (ulong)replyBytes);
        _world.Pass(0.2);
        Assert.Equal(idle is null ? 1 : 0, _world.DeletedFlows.Count);
        Assert.Equal(idle is null ? 0 : 1, _world.Counters.Of(Refusal.Idle));
        if (idle is not null)
            Assert.Contains(_world.Log.Lines, line => line.Contains(idle, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TcpState.SynSent)]
    [InlineData(TcpState.SynReceived)]
    public void While_it_connects_it_is_the_clients_turn(TcpState state)
    {
        Flow flow = _world.Flow();
        flow.ProtocolState = (byte)state;
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

    [Theory]
    [InlineData(432_000u, 1)]
    [InlineData(431_000u, 0)]
    [InlineData(300u, 1)] // data is not acknowledged
    [InlineData(290u, 0)]
    [InlineData(500_000u, 1)] // the setting was lowered since
    public void Without_accounting_the_timeout_tells_idleness(uint timeout, int deleted)
    {
        Flow flow = Established();
        flow.Present &= ~(FlowFields.Counters | FlowFields.StartTime);
        flow.Present |= FlowFields.Timeout;
        flow.Timeout = timeout;
        _world.IsAccounting = false;
        Begin(flow);
        Assert.Equal(deleted, _world.DeletedFlows.Count);
    }

    [Fact]
    public void A_connection_that_began_before_accounting_was_on_is_left_alone()
    {
        Flow flow = Established();
        flow.Present &= ~FlowFields.Counters;
        flow.Present |= FlowFields.Timeout;
        flow.Timeout = 432_000;
        Begin(flow);
        Assert.Empty(_world.DeletedFlows);
        Assert.Contains(_world.Log.Lines, line => line.Contains("began before accounting was on", StringComparison.Ordinal));
    }

    private Flow Established()
    {
        Flow flow = _world.Flow();
        flow.ProtocolState = (byte)TcpState.Established;
        return flow;
    }

    /// <summary>A flow that its destination's set already moves.</summary>
    private Flow Begin(in Flow flow)
    {
        _world.Table[flow.Original] = flow;
        _world.Set.Add(1);
        _world.Start(flow);
        return flow;
    }
}
