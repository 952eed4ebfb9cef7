using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

[Flags]
internal enum RowFlags : byte
{
    None = 0,

    /// <summary>The slot holds a flow.</summary>
    Live = 1 << 0,

    /// <summary>Known from a dump only: its entry may have no event extension and so may end without a DESTROY.</summary>
    Untapped = 1 << 1,

    /// <summary>Found by the dump of the round under way and not announced yet: an event may still explain it.</summary>
    Provisional = 1 << 2,

    /// <summary>The dump of the round under way shows another incarnation of the key.</summary>
    Mismatch = 1 << 3,

    /// <summary>Has an entry in the extras table.</summary>
    HasExtras = 1 << 4,

    /// <summary>The kernel is being asked whether a DESTROY is this flow's; events for it wait.</summary>
    Doubtful = 1 << 5,

    /// <summary>The kernel was asked and does not know it. It ends unseen, unless its DESTROY is still on its way.</summary>
    Denied = 1 << 6,

    /// <summary>An UPDATE has been applied: what changes in a flow's life is not as its NEW told it.</summary>
    Updated = 1 << 7,
}

/// <summary>
/// One flow of the live view: 128 bytes for IPv4, 176 for IPv6. With its two index slots (8 bytes) an IPv4 flow stays under 150 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowRow<TKey>
    where TKey : unmanaged, IFlowKey<TKey>
{
    // An IPv4 flow is found by the first of its two cache lines.
    public TKey Original;
    public TKey Reply;
    public int NextOriginal, NextReply; // chains of the two indexes: slot + 1, 0 ends it
    public ulong PackedId; // PackedFlowId
    public long Start; // ns since the Unix epoch, 0 = unknown
    public uint ConntrackId;
    public ushort Present; // FlowFields
    public RowFlags Flags;
    public byte ProtocolState;

    public ulong OriginalPackets, OriginalBytes, ReplyPackets, ReplyBytes;
    public uint Mark;
    public uint Status;
    public uint Timeout;
    public uint Generation;
    public uint AsOf; // seconds since the Unix epoch: when status, mark, timeout, state and counters were read
    public uint Reported; // seconds since the Unix epoch: the last record a sink saw of it
    public ushort SeenRound; // last round whose dump showed it
    public ushort TouchedRound; // last round during which an event concerned it
    public ushort LossEpoch; // losses known when it was last proven alive
    public byte Tally; // a number that a stage counts: see RowTally

    /// <summary><see cref="Start"/> is of the kernel's clock, not of receipt, and not rounded.</summary>
    public readonly bool HasKernelStart => IsStartTold && (Present & (ushort)FlowFields.RoundedStart) == 0;

    /// <summary>
    /// The kernel's <see cref="Start"/> is the entry's own (CTA_TIMESTAMP_START), as a dump tells it; before that it is the
    /// time of the NEW (CTA_TIMESTAMP_EVENT).
    /// </summary>
    public readonly bool HasExactStart =>
        (Present & (ushort)(FlowFields.StartTime | FlowFields.RoundedStart)) == (ushort)FlowFields.StartTime;

    private readonly bool IsStartTold => Start != 0 && (Present & (ushort)(FlowFields.StartTime | FlowFields.EventTime)) != 0;

    public readonly bool Is(RowFlags flags) => (Flags & flags) != RowFlags.None;

    /// <summary>Copies what a message tells about the entry. Absent fields keep their last known value.</summary>
    public void Refresh(in Flow flow, uint asOfSeconds)
    {
        Present |= (ushort)flow.Present;
        if (flow.Has(FlowFields.Counters))
        {
            OriginalPackets = flow.OriginalPackets;
            OriginalBytes = flow.OriginalBytes;
            ReplyPackets = flow.ReplyPackets;
            ReplyBytes = flow.ReplyBytes;
        }

        if (flow.Has(FlowFields.Status))
            Status = (uint)flow.Status;
        if (flow.Has(FlowFields.Mark))
            Mark = flow.Mark;
        if (flow.Has(FlowFields.Timeout))
            Timeout = flow.Timeout;
        if (flow.Has(FlowFields.ProtocolState))
            ProtocolState = flow.ProtocolState;
        if (flow.Has(FlowFields.StartTime) && (Start == 0 || !flow.Has(FlowFields.RoundedStart)))
            Start = flow.StartTime;
        AsOf = asOfSeconds;
    }

    /// <summary>Leaves the flow's keys and ids only.</summary>
    public void Forget()
    {
        Present = 0;
        Start = 0;
        OriginalPackets = OriginalBytes = ReplyPackets = ReplyBytes = 0;
        Status = Mark = Timeout = 0;
        ProtocolState = 0;
    }

    /// <summary>The row as a flow, without extras.</summary>
    public readonly void CopyTo(out Flow flow)
    {
        flow = default;
        flow.Original = Original.ToTuple();
        flow.Reply = Reply.ToTuple();
        flow.OriginalPackets = OriginalPackets;
        flow.OriginalBytes = OriginalBytes;
        flow.ReplyPackets = ReplyPackets;
        flow.ReplyBytes = ReplyBytes;
        flow.Present = (FlowFields)Present & Kept;
        if (IsStartTold)
        {
            flow.StartTime = Start;
            flow.Present |= FlowFields.StartTime;
        }

        flow.Status = (FlowStatus)Status;
        flow.Id = ConntrackId;
        flow.Mark = Mark;
        flow.Timeout = Timeout;
        flow.ProtocolState = ProtocolState;
    }

    private const FlowFields Kept = FlowFields.BothTuples | FlowFields.Status | FlowFields.Timeout | FlowFields.Mark | FlowFields.Counters
        | FlowFields.Id | FlowFields.StartTime | FlowFields.RoundedStart | FlowFields.ProtocolState;
}
