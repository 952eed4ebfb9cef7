using System.Collections.Immutable;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

public sealed partial record FlowFilter
{
    /// <summary>Whether every condition holds. One on a field that the flow lacks does not.</summary>
    public bool Matches(in Flow flow) =>
        (!Has(Conditions.Family) || flow.Original.Family == Family)
        && (!Has(Conditions.Protocol) || Protocols.AsSpan().Contains(flow.Original.Protocol))
        && (!Has(Conditions.Ports) || MatchesPorts(flow.Original))
        && (!Has(Conditions.Icmp) || MatchesIcmp(flow.Original))
        && (!Has(Conditions.AnyZone) || MatchesZone(flow))
        && (!Has(Conditions.Source) || ContainsAny(Sources, flow.Original.Source, flow.Original.Family))
        && (!Has(Conditions.Destination) || ContainsAny(Destinations, flow.Original.Destination, flow.Original.Family))
        && (!Has(Conditions.Reply) || MatchesReply(flow))
        && (!Has(Conditions.Address) || MatchesAddress(flow))
        && (!Has(Conditions.Nat) || MatchesNat(flow))
        && (!Has(Conditions.Id) || (flow.Has(FlowFields.Id) && Ids.AsSpan().Contains(flow.Id)))
        && (!Has(Conditions.Changing) || MatchesChanging(flow))
        && (!Has(Conditions.AnyOf) || MatchesAny(flow));

    private bool MatchesChanging(in Flow flow) =>
        (!Has(Conditions.Mark) || MatchesMark(flow.Mark))
        && (States is not { } states || states.Matches(flow))
        && (Status is not { } status || (flow.Has(FlowFields.Status) && status.Matches(flow.Status)))
        && (!Has(Conditions.Label) || (flow.Extras is { HasLabels: true } labelled && (labelled.Labels & Labels) == Labels))
        && (!Has(Conditions.Security) || (flow.Extras?.SecurityContext is { } context && SecurityContexts.AsSpan().Contains(context)))
        && (!Has(Conditions.OriginalTag | Conditions.ReplyTag) || MatchesTags(flow))
        && (DccpRole is not { } role || (flow.Original.Protocol == IpProtocol.Dccp && flow.Has(FlowFields.ProtocolState)
            && (flow.Extras?.DccpRole ?? 0) == role));

    private bool MatchesMark(uint mark)
    {
        foreach (ref readonly MarkRange range in Marks.AsSpan())
        {
            if (range.Matches(mark))
                return true;
        }

        return false;
    }

    private bool MatchesTags(in Flow flow) => flow is { Original.Protocol: IpProtocol.Sctp, Extras: { } extras }
        && (OriginalTags.IsEmpty || OriginalTags.AsSpan().Contains(extras.SctpOriginalTag))
        && (ReplyTags.IsEmpty || ReplyTags.AsSpan().Contains(extras.SctpReplyTag));

    private bool MatchesPorts(in FlowTuple original) => original.HasPorts
        && (SourcePorts.IsEmpty || ContainsAny(SourcePorts, original.SourcePort))
        && (DestinationPorts.IsEmpty || ContainsAny(DestinationPorts, original.DestinationPort));

    private bool MatchesIcmp(in FlowTuple original) => original.IsIcmp
        && (IcmpTypes.IsEmpty || IcmpTypes.AsSpan().Contains(original.IcmpType))
        && (IcmpCodes.IsEmpty || IcmpCodes.AsSpan().Contains(original.IcmpCode))
        && (IcmpIds.IsEmpty || IcmpIds.AsSpan().Contains(original.IcmpId));

    private bool MatchesReply(in Flow flow) => flow.Has(FlowFields.Reply)
        && (ReplySources.IsEmpty || ContainsAny(ReplySources, flow.Reply.Source, flow.Reply.Family))
        && (ReplyDestinations.IsEmpty || ContainsAny(ReplyDestinations, flow.Reply.Destination, flow.Reply.Family))
        && (ReplySourcePorts.IsEmpty || (flow.Reply.HasPorts && ContainsAny(ReplySourcePorts, flow.Reply.SourcePort)))
        && (ReplyDestinationPorts.IsEmpty || (flow.Reply.HasPorts && ContainsAny(ReplyDestinationPorts, flow.Reply.DestinationPort)));

    private bool MatchesZone(in Flow flow)
    {
        ushort original = flow.Original.Zone, reply = flow.Reply.Zone;
        return (Zones.IsEmpty || Zones.AsSpan().Contains(original) || (flow.Has(FlowFields.Reply) && Zones.AsSpan().Contains(reply)))
            && (!Has(Conditions.OriginalZone | Conditions.ReplyZone) || (flow.Has(FlowFields.Reply) && original != reply))
            && (OriginalZones.IsEmpty || OriginalZones.AsSpan().Contains(original))
            && (ReplyZones.IsEmpty || ReplyZones.AsSpan().Contains(reply));
    }

    private bool MatchesAddress(in Flow flow)
    {
        foreach (ref readonly IpPrefix prefix in Addresses.AsSpan())
        {
            if (prefix.ContainsEitherEnd(flow.Original) || (flow.Has(FlowFields.Reply) && prefix.ContainsEitherEnd(flow.Reply)))
                return true;
        }

        return false;
    }

    private bool MatchesNat(in Flow flow) => Nat switch
    {
        NatMatch.Any => IsSourceMatch(flow) || IsDestinationMatch(flow),
        NatMatch.Source => IsSourceMatch(flow),
        NatMatch.Destination => IsDestinationMatch(flow),
        NatMatch.Both => IsSourceMatch(flow) && IsDestinationMatch(flow),
        _ => true,
    };

    private bool IsSourceMatch(in Flow flow) => flow.IsSourceNat && IsOneOf(
        SourceTargets, flow.Original.Family, flow.Original.Source, flow.Original.SourcePort, flow.Reply.Destination,
        flow.Reply.DestinationPort);

    private bool IsDestinationMatch(in Flow flow) => flow.IsDestinationNat && IsOneOf(
        DestinationTargets, flow.Original.Family, flow.Original.Destination, flow.Original.DestinationPort, flow.Reply.Source,
        flow.Reply.SourcePort);

    /// <summary>What an end became is one of these, or any.</summary>
    private static bool IsOneOf(
        ImmutableArray<NatEnd> targets, FlowFamily family, IpAddress was, ushort wasPort, IpAddress became, ushort becamePort)
    {
        foreach (ref readonly NatEnd target in targets.AsSpan())
        {
            if (target.Matches(family, was, wasPort, became, becamePort))
                return true;
        }

        return targets.IsEmpty;
    }

    private bool MatchesAny(in Flow flow)
    {
        foreach (FlowFilter alternative in AnyOf.AsSpan())
        {
            if (alternative.Matches(flow))
                return true;
        }

        return false;
    }

    private static bool ContainsAny(ImmutableArray<IpPrefix> prefixes, IpAddress address, FlowFamily family)
    {
        foreach (ref readonly IpPrefix prefix in prefixes.AsSpan())
        {
            if (prefix.Contains(address, family))
                return true;
        }

        return false;
    }

    private static bool ContainsAny(ImmutableArray<PortRange> ranges, ushort port)
    {
        foreach (PortRange range in ranges.AsSpan())
        {
            if (range.Contains(port))
                return true;
        }

        return false;
    }
}
