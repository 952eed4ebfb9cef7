using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>Sees the tuples of the view's flows, row by row.</summary>
public interface ITupleVisitor
{
    /// <summary>A live flow. Asked for every row, so be quick.</summary>
    /// <returns>Whether <see cref="Visit"/> is to be called with its tuples.</returns>
    bool Wants(ushort originalZone, ushort replyZone, IpProtocol protocol);

    void Visit(in FlowTuple original, in FlowTuple reply);
}
