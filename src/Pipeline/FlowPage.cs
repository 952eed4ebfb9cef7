using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline;

/// <summary>Some rows of a walk over the live view, and where each is.</summary>
public sealed class FlowPage
{
    private readonly FlowPosition[] _places;

    internal FlowPage(FlowChangeBatch batch, FlowPosition[] places) => (Batch, _places) = (batch, places);

    /// <summary>The flows, as Started changes; borrowed for as long as the page is.</summary>
    public FlowChangeBatch Batch { get; }

    /// <summary>Where a walk goes on that has taken the row at this index, and those before it.</summary>
    public FlowPosition After(int index) => _places[index] with { Slot = _places[index].Slot + 1 };
}
