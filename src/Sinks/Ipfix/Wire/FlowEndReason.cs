using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>flowEndReason (136).</summary>
internal enum FlowEndReason : byte
{
    Idle = 1, // idle timeout
    Active = 2, // active timeout: it lasts, and is reported on
    Detected = 3, // end of Flow detected
    Forced = 4, // forced end
    NoResources = 5, // lack of resources
}

/// <summary>Why a flow ended, by what connection tracking says of it.</summary>
internal static class FlowEndReasons
{
    internal static FlowEndReason Of(in FlowChange change)
    {
        if (change.Kind != FlowChangeKind.Ended)
            return FlowEndReason.Active;
        if (change.Requester != 0)
            return FlowEndReason.Forced;
        if (change.Flow.TcpState is TcpState.FinWait or TcpState.CloseWait or TcpState.LastAck or TcpState.TimeWait or TcpState.Close)
            return FlowEndReason.Detected;
        // With time left and without a request: dropped to make room. What a comparison found missing is no event, and says nothing.
        return change is { Origin: FlowOrigin.Event, TimeLeft: > 0 } ? FlowEndReason.NoResources : FlowEndReason.Idle;
    }
}
