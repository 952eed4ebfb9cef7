using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// The proof before an action: would a packet of this flow with the wanted path's mark leave by that path, and is the path usable? Else a
/// deleted entry would come back where it was, or a re-marked flow lead nowhere.
/// </summary>
internal sealed class RouteProver(RouteQuestions routes)
{
    /// <summary>
    /// Of the machine's own, only TCP is moved: a client that is reset opens another connection, whose source the routes and rules of then
    /// choose. So it is asked without the old one's.
    /// </summary>
    /// <exception cref="EventTap.Netlink.NetlinkException">The kernel could not be asked.</exception>
    internal Refusal Prove(in Flow flow, UplinkPath wanted, out bool isOwn, out string? detail)
    {
        FlowFamily family = flow.Original.Family;
        isOwn = routes.Lookup(family, flow.Original.Source, mark: 0).Kind == RouteKind.Local;
        if (isOwn && flow.Original.Protocol != IpProtocol.Tcp)
        {
            detail = "its source is this machine, whose socket keeps its address";
            return Refusal.Local;
        }

        RouteAnswer plain = routes.Lookup(family, flow.Original.Destination, mark: 0);
        if (plain.Kind is RouteKind.Local or RouteKind.Direct)
        {
            detail = plain.Kind == RouteKind.Local ? "its destination is this machine" : "its destination is on a connected network";
            return plain.Kind == RouteKind.Local ? Refusal.Local : Refusal.Direct;
        }

        if (!routes.IsUsable(wanted, family, out detail))
            return Refusal.PathDown;
        return wanted.Mark is { } mark ? ProveRoute(flow.Original, isOwn, wanted, mark.Value, out detail) : Refusal.None;
    }

    private Refusal ProveRoute(in FlowTuple original, bool isOwn, UplinkPath wanted, uint mark, out string? detail)
    {
        // rules by source count, too
        RouteAnswer marked = routes.Lookup(original.Family, original.Destination, mark, isOwn ? null : original.Source);
        detail = !marked.Leads ? $"no route to its destination with mark 0x{mark:x}: {marked.Errno}"
            : wanted.Devices.Count > 0 && !wanted.Devices.Any(device => routes.Link(device).Index == marked.Interface)
                ? $"with mark 0x{mark:x} its packets would not leave by {string.Join(" or ", wanted.Devices)}; see ip rule and ip route"
                : null;
        return detail is null ? Refusal.None : Refusal.PathDown;
    }
}
