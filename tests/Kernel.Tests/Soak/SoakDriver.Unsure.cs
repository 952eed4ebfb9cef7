using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Soak;

// Flows of which only the kernel knows whether they live: those with a short timeout, and those whose packet is held.
internal sealed partial class SoakDriver
{
    private readonly Queue<(List<SoakFlow> Flows, long At)> _expiring = [];
    private readonly Queue<(SoakFlow Flow, long At, long Due)> _held = [];
    private readonly List<SoakFlow> _released = []; // lately
    private ushort _fragments;

    public int Unsure => _expiring.Count + _held.Count;

    /// <summary>
    /// Learns what became of flows of which only the kernel knows, releases what is held, and waits until it has its entries back.
    /// </summary>
    public void Settle()
    {
        lock (model.Lock)
        {
            AskExpiring();
            Release(long.MaxValue);
            LookFor(_released);
        }
    }

    private void OpenExpiring(int count)
    {
        List<SoakFlow> flows = [];
        for (int i = 0; i < count; i++)
        {
            SoakFlow flow = Choose();
            if (flow is not { State: SoakState.Free, Kind: SoakKind.Udp or SoakKind.Zone or SoakKind.Masquerade or SoakKind.NodePort })
                continue;
            model.Count(flow);
            flow.Entry.BeginChange();
            SoakModel.OnUnsure(flow, SoakState.Expiring);
            flow.Entry.EndChange();
            flows.Add(flow);
        }

        node.SetUdpTimeout(1);
        Send(flows, PacketUse.Whole);
        node.SetUdpTimeout(node.Timeout);
        _expiring.Enqueue((flows, SoakClock.Now));
    }

    private void AskExpiring()
    {
        if (_expiring.TryPeek(out (List<SoakFlow> Flows, long At) expiring) && SoakClock.Now - expiring.At > 1_500_000_000)
            AskExpiring(_expiring.Dequeue().Flows);
    }

    private void AskExpiring(List<SoakFlow> flows)
    {
        bool[] found = new bool[flows.Count];
        node.Table.GetMany(flows.Select(flow => flow.Original).ToArray(), found); // evicts those that are over
        long now = SoakClock.Now;
        List<SoakFlow> left = [];
        for (int i = 0; i < flows.Count; i++)
        {
            if (found[i])
            {
                left.Add(flows[i]);
                continue;
            }

            flows[i].Entry.BeginChange();
            model.OnExpired(flows[i], now);
            flows[i].Entry.EndChange();
            model.Counts.EndedByTimeout++;
        }

        if (left.Count > 0)
            _expiring.Enqueue((left, now));
    }

    /// <summary>The gate has its packet and conntrack has not.</summary>
    private void Hold(SoakFlow flow)
    {
        flow.Entry.BeginChange();
        SoakModel.OnUnsure(flow, SoakState.Held);
        flow.Fragments = ++_fragments == 0 ? ++_fragments : _fragments;
        Send([flow], PacketUse.FirstHalf);
        flow.Entry.EndChange();
        long now = SoakClock.Now;
        _held.Enqueue((flow, now, now + _provoking.NextInt64(50_000_000)));
    }

    /// <summary>What was held for long does not go on: the armed window promises nothing beyond its end.</summary>
    private void Release(long due)
    {
        _released.Clear();
        while (_held.TryPeek(out (SoakFlow Flow, long At, long Due) held) && held.Due <= due)
        {
            _held.Dequeue();
            if (SoakClock.Now - held.At < _window / 2)
                Release(held.Flow);
            else
                GiveUp(held.Flow);
        }
    }

    private void GiveUp(SoakFlow flow)
    {
        flow.Entry.BeginChange();
        flow.Fragments = 0;
        model.OnExpired(flow, SoakClock.Now);
        flow.Entry.EndChange();
    }

    private void Release(SoakFlow flow)
    {
        flow.Entry.BeginChange();
        flow.Entry.LiveSince = SoakClock.Now; // now, for whoever restores before this is done
        node.Add(flow, PacketUse.SecondHalf);
        node.Send();
        bool[] found = new bool[1];
        for (long until = SoakClock.Now + 1_000_000_000; !found[0] && SoakClock.Now < until;)
            node.Table.GetMany([flow.Original], found);
        Assert.True(found[0], "a held datagram made no flow");
        flow.Fragments = 0;
        flow.Entry.Unsure--;
        model.OnOpened(flow, flow.Entry.LiveSince);
        model.Counts.Held++;
        _released.Add(flow);
        flow.Entry.EndChange();
    }
}
