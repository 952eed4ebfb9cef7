using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>What the map's audit and the delete stage share. Used by the loop only.</summary>
internal sealed class MapContext(StageContext stage, MapOptions options, MapLevers levers, MapKernel kernel)
{
    private readonly List<MapKey> _keys = [];

    public StageContext Stage { get; } = stage;

    public MapKernel Kernel { get; } = kernel;

    public LiveRows View { get; } = stage.View;

    /// <summary>Keys of the map that belong to each flow.</summary>
    public RowTally Tally { get; } = stage.ClaimTally();

    public MapOptions Options { get; } = options;

    public MapLevers Levers { get; } = levers;

    /// <summary>Which tuples live, as of the last scan and everything that started since.</summary>
    public LiveTuples Live { get; private set; } = new(stage.View);

    /// <summary>The same for the scan that is being opened; null otherwise.</summary>
    public LiveTuples? NextLive { get; private set; }

    public MissLedger Misses { get; } = new(levers.CountsFromUse);

    public HoldTable Holds { get; } = new();

    /// <summary>What an absence may mean in this namespace; another one takes its place when a setting of the kernel has changed.</summary>
    public AbsenceRules Rules { get; private set; } = new(new KernelTimeouts(), options.TcpPatience, options.UdpPatience);

    public UntrackedGroups Groups { get; } = new(options.UntrackedGroupSize);

    public GoneInterfaces Interfaces { get; } = new(kernel.HasInterface);

    public MapOwners Owners { get; } = new();

    public MapCounters Counters { get; } = new();

    /// <summary>Null until it could be opened.</summary>
    public IFlowMap? Map { get; set; }

    /// <summary>
    /// Some key has matched a flow of this namespace, and its interface is here too: without that every key looks stale, as it does in the
    /// wrong namespace. A pod's own has a few of the flows, but not the host's end of its link.
    /// </summary>
    public bool HasMatched { get; private set; }

    /// <summary>Number of the scan under way, or of the last one.</summary>
    public uint Scan { get; set; }

    /// <summary>Flows that have begun since the start, as far as they were seen.</summary>
    public long Started { get; set; }

    /// <summary>ns since the Unix epoch.</summary>
    public long Now => Stage.Time.UnixNanoseconds();

    /// <summary>CLOCK_MONOTONIC in ns, as bpf_ktime_get_ns tells it.</summary>
    public long Monotonic => Stage.Time.TimestampFrequency == 1_000_000_000
        ? Stage.Time.GetTimestamp()
        : (long)((Int128)Stage.Time.GetTimestamp() * 1_000_000_000 / Stage.Time.TimestampFrequency);

    /// <summary>A key of the map belongs, or belonged, to a flow seen here.</summary>
    public void Match(in MapKey key)
    {
        Groups.Match(MapGroup.Of(key));
        HasMatched |= key.InterfaceIndex == 0 || Interfaces.IsHere(key.InterfaceIndex);
    }

    /// <summary>
    /// The key is left alone: many like it have never matched a flow, so they are taken for traffic under NOTRACK. Not where its owner's
    /// interface is gone: then the traffic is over.
    /// </summary>
    public bool IsExempt(in MapKey key) => Groups.IsExempt(MapGroup.Of(key)) && !Interfaces.IsGone(key.InterfaceIndex);

    /// <summary>Takes over the namespace's sysctls as they are now.</summary>
    public void SetTimeouts(KernelTimeouts timeouts) => Rules = new AbsenceRules(timeouts, Options.TcpPatience, Options.UdpPatience);

    /// <summary>Until when a key without a flow is kept, CLOCK_MONOTONIC in ns; 0 when nothing holds it.</summary>
    /// <param name="firstMissed">When it was first found without a flow, if its flow's end was not observed; otherwise null.</param>
    public long HeldUntil(in MapKey key, long? firstMissed, ulong lastSeen)
    {
        if (!Levers.WeighsEnds || Interfaces.IsGone(key.InterfaceIndex)) // without its owner's interface no packet can use it
            return 0;
        bool hasLastSeen = Map!.Info.HasLastSeen;
        if (Holds.TryGet(key.Tuple, out HoldTable.HeldFlow held))
            return held.Hold.Until(hasLastSeen, (long)lastSeen);
        return firstMissed is { } from ? Rules.OfUnknown(key.Tuple.Protocol, hasLastSeen ? 0 : from).Until(hasLastSeen, (long)lastSeen) : 0;
    }

    /// <summary>
    /// Every key that a flow of this tuple, as a key or a flow has it, can have in the map, as far as its owners are known; good until the
    /// next call.
    /// </summary>
    public ReadOnlySpan<MapKey> KeysOf(in FlowTuple tuple)
    {
        Flow flow = new() { Original = tuple, Present = FlowFields.Original };
        return KeysOf(flow);
    }

    /// <summary>Every key that the flow can have in the map, as far as its owners are known; good until the next call.</summary>
    public ReadOnlySpan<MapKey> KeysOf(scoped in Flow flow)
    {
        _keys.Clear();
        Span<FlowTuple> tuples = stackalloc FlowTuple[MapKeys.MaxTuples];
        foreach (ref readonly FlowTuple tuple in tuples[..MapKeys.Tuples(flow, tuples)])
        {
            AddKeys(tuple, tuple.Source);
            if (tuple.Destination != tuple.Source)
                AddKeys(tuple, tuple.Destination);
        }

        return CollectionsMarshal.AsSpan(_keys);
    }

    /// <summary>Begins to gather the live tuples anew.</summary>
    public LiveTuples OpenLive() => NextLive = new LiveTuples(View);

    /// <summary>The live tuples gathered since <see cref="OpenLive"/> are all.</summary>
    public void CommitLive() => (Live, NextLive) = (NextLive!, null);

    private void AddKeys(in FlowTuple tuple, IpAddress owner)
    {
        foreach (uint interfaceIndex in Owners.InterfacesOf(owner))
            _keys.Add(new MapKey(tuple, owner, interfaceIndex));
    }

    /// <summary>What was counted is given up.</summary>
    public void Void()
    {
        Counters.Voided++;
        Misses.Void();
    }

    /// <summary>Another map, or another network namespace, has taken the place of this one: nothing known of the entries holds.</summary>
    public void VoidAll()
    {
        Void();
        Interfaces.Void();
        Groups.Void();
        Owners.Void();
        Holds.Void();
        HasMatched = false;
    }
}
