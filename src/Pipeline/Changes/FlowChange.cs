using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>What happened to the live view.</summary>
public enum FlowChangeKind : byte
{
    /// <summary>A new incarnation: from NEW, or found by a dump.</summary>
    Started,

    /// <summary>Known fields changed (UPDATE, when joined), or an interim report of a long flow (counters from a dump).</summary>
    Updated,

    /// <summary>The incarnation is over: DESTROY, or a resync or audit found it gone, or a NEW replaced it.</summary>
    Ended,

    /// <summary>Events may be missing; <see cref="FlowChange.Gap"/> says when, how many and why.</summary>
    Gap,

    /// <summary>
    /// No change of the view: the kernel refused new connections, which so have no flow; <see cref="FlowChange.Refused"/> says how many.
    /// </summary>
    Refused,
}

/// <summary>How we know.</summary>
public enum FlowOrigin : byte
{
    /// <summary>A kernel event.</summary>
    Event,

    /// <summary>The first dump after a start or a resync after a loss.</summary>
    Dump,

    /// <summary>A periodic or early audit.</summary>
    Audit,
}

/// <summary>
/// One change of the live view. For Ended, <see cref="Flow"/> joins what DESTROY said with what was known before (labels, helper).
/// <see cref="FlowExtras"/> belong to the batch.
/// </summary>
public struct FlowChange
{
    public Flow Flow;
    public FlowId Id;

    /// <summary>When it happened, ns since the Unix epoch: kernel event time where known, else of receipt.</summary>
    public long Time;

    /// <summary>When the flow began, ns since the Unix epoch; 0 = unknown (found by a dump, with kernel timestamps off).</summary>
    public long Start;

    /// <summary>When the flow ended, ns since the Unix epoch; 0 = unknown or still alive.</summary>
    public long End;

    /// <summary>
    /// Of an end: the netlink port id of the program whose request deleted the entry; 0 when traffic or a timer did, and when the end was
    /// not told.
    /// </summary>
    public uint Requester;

    /// <summary>
    /// Of an end: seconds that the entry's timer had left, 0 when it had run out. Where the end was not told: as of the last word of it.
    /// </summary>
    public uint TimeLeft;

    /// <summary>Only for <see cref="FlowChangeKind.Gap"/>.</summary>
    public FlowGap? Gap;

    /// <summary>Only for <see cref="FlowChangeKind.Refused"/>.</summary>
    public RefusedFlows? Refused;

    /// <summary>Which incarnation of its key, counted by the view.</summary>
    public uint Generation;

    public FlowChangeKind Kind;
    public FlowOrigin Origin;

    /// <summary>It is about a flow: <see cref="Flow"/> is one.</summary>
    public readonly bool HasFlow => Kind < FlowChangeKind.Gap;
}
