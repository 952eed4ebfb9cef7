using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Soak;

// How flows end: by their timer, which is what happens to most; closed; or deleted by a request, after which their peers may still send.
internal sealed partial class SoakDriver
{
    private readonly long _timeout = node.Timeout * Second;
    private long _renewed = SoakClock.Now;

    private const long Second = 1_000_000_000;

    /// <summary>No timer of a flow that is open can have run out yet: the machine has let the driver renew them in time.</summary>
    public bool IsSure => SoakClock.Now < Volatile.Read(ref _renewed) + _timeout;

    /// <summary>Until when a key can be held after everything that has happened so far.</summary>
    public long LongestHold => SoakClock.Now + _timeout;

    /// <summary>Renews the timers of all open flows, when it is time. What has run out after all has ended.</summary>
    public void KeepAlive()
    {
        if (SoakClock.Now - Volatile.Read(ref _renewed) < _timeout / 3)
            return;
        lock (model.Lock)
        {
            long began = SoakClock.Now;
            SoakFlow[] open = [.. model.Open];
            SoakFlow[] over = [.. node.Timers.Set(Tuples(open), node.Timeout).Select(i => open[i])];
            Assert.True(over.Length == 0 || !IsSure, $"{over.Length} flows are gone from the kernel's table before their timer");
            Begin(over);
            foreach (SoakFlow flow in over)
                model.OnEnded(flow, SoakClock.Now);
            Finish(over);
            model.Counts.EndedByTimeout += over.Length;
            Volatile.Write(ref _renewed, began);
        }
    }

    /// <summary>Deletes every flow at once, with time left.</summary>
    public void Flush()
    {
        lock (model.Lock)
        {
            SoakFlow[] open = [.. model.Open];
            LookFor(open);
            open = [.. model.Open];
            Begin(open);
            long heldUntil = Shorten(open);
            node.Table.Flush();
            long now = SoakClock.Now;
            foreach (SoakFlow flow in open)
                model.OnEnded(flow, now, heldUntil);
            model.Counts.EndedByFlush += open.Length;
            Finish(open);
        }
    }

    /// <summary>By request, with time left: a peer may still send.</summary>
    private void Delete(List<SoakFlow> flows)
    {
        Begin(flows);
        long heldUntil = Shorten(flows);
        model.Counts.EndedByRequest += Request(flows, heldUntil);
        Finish(flows);
    }

    /// <summary>TCP as closed, and deleted by request with time left: nothing is held. The others by their timers.</summary>
    private void Close(List<SoakFlow> flows)
    {
        SoakFlow[] connections = [.. flows.Where(flow => flow.Kind == SoakKind.Tcp)];
        Begin(connections);
        node.Timers.Set(Tuples(connections), options.HeldFor, TcpState.Close);
        model.Counts.EndedClosed += Request(connections, heldUntil: 0);
        Finish(connections);
        RunOut([.. flows.Where(flow => flow.Kind != SoakKind.Tcp)]);
    }

    private void RunOut(List<SoakFlow> flows)
    {
        FlowTuple[] tuples = Tuples(flows);
        bool[] found = new bool[tuples.Length];
        Begin(flows);
        node.Timers.Set(tuples, 0);
        node.Table.GetMany(tuples, found); // reaps them
        Assert.DoesNotContain(true, found);
        long now = SoakClock.Now;
        foreach (SoakFlow flow in flows)
            model.OnEnded(flow, now);
        Finish(flows);
        model.Counts.EndedByTimeout += flows.Count;
    }

    /// <returns>Until when the keys of the flows must stay, if they are deleted now: the kernel reports whole seconds left.</returns>
    private long Shorten(IReadOnlyCollection<SoakFlow> flows)
    {
        long began = SoakClock.Now;
        node.Timers.Set(Tuples(flows), options.HeldFor);
        return began + ((options.HeldFor - 1) * Second);
    }

    /// <returns>How many were deleted; the others had ended.</returns>
    private int Request(IReadOnlyList<SoakFlow> flows, long heldUntil)
    {
        Flow[] kernel = new Flow[flows.Count];
        bool[] found = new bool[flows.Count];
        int deleted = 0;
        node.Table.GetMany(Tuples(flows), found, (int i, in FlowEvent row) => kernel[i] = row.Flow);
        for (int i = 0; i < flows.Count; i++)
        {
            bool isDeleted = found[i] && node.Table.Delete(kernel[i]);
            model.OnEnded(flows[i], SoakClock.Now, isDeleted ? heldUntil : 0);
            deleted += isDeleted ? 1 : 0;
        }

        return deleted;
    }

    private static FlowTuple[] Tuples(IEnumerable<SoakFlow> flows) => [.. flows.Select(flow => flow.Original)];
}
