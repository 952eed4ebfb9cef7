using System.Collections.Frozen;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>Which flows are alive, and so which keys must be in the map. Changed under <see cref="Lock"/>.</summary>
internal sealed class SoakModel
{
    // Of 20 tuples each.
    private static readonly SoakKind[] Kinds =
    [
        SoakKind.Udp, SoakKind.NodePort, SoakKind.Udp, SoakKind.Masquerade, SoakKind.Udp, SoakKind.Zone, SoakKind.Udp, SoakKind.Tcp,
        SoakKind.NodePort, SoakKind.Masquerade, SoakKind.Udp, SoakKind.Zone, SoakKind.Tcp, SoakKind.Udp, SoakKind.NodePort, SoakKind.Echo,
        SoakKind.Masquerade, SoakKind.Udp, SoakKind.Tcp, SoakKind.Zone,
    ];

    private readonly List<SoakFlow> _open = [];

    public SoakModel(SoakNode node, int tuples)
    {
        Dictionary<MapKey, SoakEntry> entries = [];
        Dictionary<MapKey, SoakFlow> flows = [];
        Flows = new SoakFlow[tuples];
        int[] numbers = new int[Enum.GetValues<SoakKind>().Length];
        for (int i = 0; i < tuples; i++)
        {
            SoakKind kind = Kinds[i % Kinds.Length];
            (var original, MapKey key) = node.Describe(kind, numbers[(int)kind]++);
            if (!entries.TryGetValue(key, out SoakEntry? entry))
                entries.Add(key, entry = new SoakEntry(key));
            Flows[i] = new SoakFlow(kind, original, entry);
            if (kind != SoakKind.Echo)
                flows.Add(key, Flows[i]);
        }

        Entries = entries.ToFrozenDictionary();
        ByKey = flows.ToFrozenDictionary();
    }

    public Lock Lock { get; } = new();

    public SoakFlow[] Flows { get; }

    public FrozenDictionary<MapKey, SoakEntry> Entries { get; }

    /// <summary>The flow of a key that is its alone.</summary>
    public FrozenDictionary<MapKey, SoakFlow> ByKey { get; }

    public SoakCounts Counts { get; } = new();

    public RecentEnds Ends { get; } = new();

    public IReadOnlyList<SoakFlow> Open => _open;

    /// <summary>
    /// The kernel has made the flow, not before <paramref name="since"/>. Between the entry's BeginChange and EndChange, as the following.
    /// </summary>
    public void OnOpened(SoakFlow flow, long since)
    {
        Count(flow);
        flow.State = SoakState.Open;
        flow.Place = _open.Count;
        _open.Add(flow);
        if (flow.Entry.Live++ == 0)
            flow.Entry.LiveSince = since;
        Use(flow);
    }

    /// <summary>The flow has been made, or is about to be, and ends when the kernel says so.</summary>
    public static void OnUnsure(SoakFlow flow, SoakState state)
    {
        flow.State = state;
        flow.Entry.Unsure++;
        Use(flow);
    }

    /// <summary>A flow of which only the kernel knew has ended.</summary>
    public void OnExpired(SoakFlow flow, long at)
    {
        flow.Entry.Unsure--;
        Free(flow, at);
    }

    /// <summary>The flow's end was acknowledged by the kernel.</summary>
    /// <param name="heldUntil">It may have been alive, and its key must stay until then.</param>
    public void OnEnded(SoakFlow flow, long at, long heldUntil = 0)
    {
        SoakFlow last = _open[^1];
        (_open[flow.Place], last.Place) = (last, flow.Place);
        _open.RemoveAt(_open.Count - 1);
        flow.Entry.Live--;
        flow.Entry.HeldUntil = Math.Max(flow.Entry.HeldUntil, heldUntil);
        Free(flow, at);
    }

    /// <summary>A packet has made the entry, and no flow.</summary>
    public void OnOrphaned(SoakFlow flow, long at)
    {
        Counts.Orphans++;
        Free(flow, at);
    }

    /// <summary>Counts a lifetime.</summary>
    public void Count(SoakFlow flow)
    {
        Counts.Opened[(int)flow.Kind]++;
        if (flow.WasUsed)
            Counts.Reused++;
        if (flow.WasUsed && flow.Entry.StaleSince != 0)
            Counts.ReusedStale++;
        flow.WasUsed = true;
    }

    /// <summary>What its predecessor may have had left does not matter any more; another flow of a shared key may still need it.</summary>
    private static void Use(SoakFlow flow)
    {
        flow.Entry.StaleSince = 0;
        if (flow.Kind != SoakKind.Echo)
            flow.Entry.HeldUntil = 0;
    }

    private void Free(SoakFlow flow, long at)
    {
        flow.State = SoakState.Free;
        Ends.Add(flow, at);
        if (flow.Entry is { Live: 0, Unsure: 0 })
            flow.Entry.StaleSince = at;
    }
}
