using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

internal sealed partial class FlowView
{
    /// <inheritdoc cref="FamilyView{TKey}.CountStates"/>
    public void CountStates(FlowFamily family, int from, int to, FlowStateCounts counts)
    {
        if (family == FlowFamily.IPv6)
            _ipv6.CountStates(from, to, counts);
        else
            _ipv4.CountStates(from, to, counts);
    }
}
