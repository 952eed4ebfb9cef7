using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Finds the id that a flow had before the service restarted, and gives each once. The flow is as a dump or a DESTROY tells it.
/// </summary>
public delegate bool FlowIdLookup(in Flow told, out FlowId id);

/// <summary>What both families of the live view share. Used by the loop only.</summary>
internal sealed class ViewContext(ChangeWriter changes, FlowIdMinter ids, Action<TableQuestion>? ask)
{
    public ChangeWriter Changes { get; } = changes;

    public FlowIdMinter Ids { get; } = ids;

    /// <summary>Has a question answered by the kernel, later; null where there is none, as in a replay.</summary>
    public Action<TableQuestion>? Ask { get; } = ask;

    public HashSeed Seed { get; } = HashSeed.Random();

    public ViewCounters Counters { get; } = new();

    public RecentEnds RecentEnds { get; } = new();

    public PacketWay Way { get; } = new();

    /// <summary>Set until the view is synced for the first time; null afterwards.</summary>
    public FlowIdLookup? EarlierIds { get; set; }

    /// <summary>Present time, ns since the Unix epoch, as of the message being handled.</summary>
    public long Now { get; set; }

    public uint NowSeconds => (uint)(Now / 1_000_000_000);

    /// <summary>Number of the round under way; never 0.</summary>
    public ushort Round { get; set; } = 1;

    /// <summary>Between the barrier that opens a round and the one that closes it.</summary>
    public bool RoundOpen { get; set; }

    /// <summary>
    /// When the round under way was opened, ns since the Unix epoch: what its dump shows existed then or began later, and has not ended
    /// before.
    /// </summary>
    public long RoundOpenedAt { get; set; }

    /// <summary>
    /// How many losses (overrun, disconnect) there were: an entry last proven alive under an older number may be gone unseen.
    /// </summary>
    public ushort LossEpoch { get; set; } = 1;

    /// <summary>
    /// Events that were queued when the last loss was noticed may still be on their way, ahead of what was lost: a full socket loses the
    /// newest, and its count is read while older ones wait. Until a barrier that was asked for after it.
    /// </summary>
    public bool IsLossAhead { get; set; }

    /// <summary>Under which number an entry is proven alive by what is applied now.</summary>
    public ushort ProvenEpoch => IsLossAhead ? (ushort)(LossEpoch - 1) : LossEpoch;

    /// <summary>Barriers passed so far.</summary>
    public uint Barriers { get; set; }

    /// <summary>No loss lies unrepaired: the view follows the kernel event by event.</summary>
    public bool Synced { get; set; }

    /// <summary>Interim records: report a flow seen by a dump when its last record is this old; 0 = never.</summary>
    public uint InterimSeconds { get; set; }

    /// <summary>Events come from a recording: there is no kernel to ask, no dump, and nothing is repeated.</summary>
    public bool IsRecording { get; init; }

    public ViewLevers Levers { get; init; } = new();

    public uint NextGeneration() => ++_generation;

    /// <summary>The id that a flow had before the restart, packed.</summary>
    public bool TryTakeEarlierId(in Flow flow, out ulong packed)
    {
        packed = 0;
        return EarlierIds is { } earlier && earlier(flow, out FlowId id) && Ids.TryPack(id, out packed);
    }

    private uint _generation;
}
