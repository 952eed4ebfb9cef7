using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// A rule of <c>Allow</c> or <c>Deny</c>: every condition that is given must hold, and one of its alternatives is enough.
/// </summary>
internal sealed class RecordRule
{
    private readonly FlowFilter _flow;
    private readonly int _kinds;
    private readonly FlowFilter? _later;

    /// <param name="flow">Of the record's flow.</param>
    /// <param name="kinds">Bits by <see cref="FlowChangeKind"/>; 0 for every kind.</param>
    internal RecordRule(FlowFilter flow, int kinds = 0)
    {
        (_flow, _kinds) = (flow, kinds);
        bool isOfRecords = kinds != 0 || flow.States is not null || flow.Status is not null;
        _later = flow.IsStable || isOfRecords ? null : flow.Stable;
    }

    /// <summary>
    /// It decides about whole flows by what can change in a flow's life, such as the mark: the first record that is written decides. Rules
    /// with <c>event</c>, <c>state</c> or <c>status</c> are about records, each as it is.
    /// </summary>
    internal bool DecidesOnce => _later is not null;

    /// <param name="isWritten">The flow has a record already.</param>
    internal bool Allows(in FlowChange change, bool isWritten) =>
        isWritten && _later is not null ? _later.Matches(change.Flow) : Matches(change);

    /// <inheritdoc cref="Allows"/>
    internal bool Denies(in FlowChange change, bool isWritten) => !(isWritten && _later is not null) && Matches(change);

    internal bool Matches(in FlowChange change) => (_kinds == 0 || (_kinds & (1 << (int)change.Kind)) != 0) && _flow.Matches(change.Flow);
}
