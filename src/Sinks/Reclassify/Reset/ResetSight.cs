using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>From an entry to what it means for a reset.</summary>
internal static class ResetSight
{
    /// <param name="now">The entry with the tuple of <paramref name="flow"/>.</param>
    internal static ResetState Of(in Flow flow, in Flow now) =>
        now.Original != flow.Original || now.Id != flow.Id ? ResetState.Gone
        : now.TcpState == TcpState.Close ? ResetState.Closed
        : (now.Status & (FlowStatus.Offload | FlowStatus.HardwareOffload)) != FlowStatus.None ? ResetState.Offloaded
        : ResetState.Open;
}
