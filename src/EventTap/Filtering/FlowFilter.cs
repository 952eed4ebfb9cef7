using System.Collections.Immutable;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// Which flows are meant; immutable. Every condition that is given must hold, and one of its alternatives is enough.
/// The same for the tap, the command line and sinks, named as in conntrack-tools.
/// </summary>
public sealed record FlowFilter
{
    /// <summary>No condition: matches every flow.</summary>
    public static FlowFilter All { get; } = new();

    /// <summary><see cref="FlowFamily.Unspecified"/> for both.</summary>
    public FlowFamily Family { get; init; }

    /// <summary>Protocols of layer 4.</summary>
    public ImmutableArray<IpProtocol> Protocols { get; init; } = [];

    /// <summary>Blocks of the original tuple's source, as <c>conntrack -s</c>.</summary>
    public ImmutableArray<IpPrefix> Sources { get; init; } = [];

    /// <summary>Blocks of the original tuple's destination, as <c>conntrack -d</c>.</summary>
    public ImmutableArray<IpPrefix> Destinations { get; init; } = [];

    /// <summary>Blocks for any of the four ends: source or destination of the original or of the reply tuple.</summary>
    public ImmutableArray<IpPrefix> Addresses { get; init; } = [];

    /// <summary>Original source ports; a flow that has none (ICMP, ESP, …) never matches, not even 0.</summary>
    public ImmutableArray<ushort> SourcePorts { get; init; } = [];

    /// <summary>Original destination ports; see <see cref="SourcePorts"/>.</summary>
    public ImmutableArray<ushort> DestinationPorts { get; init; } = [];

    /// <summary>Zones of either direction; a flow without a zone is in zone 0.</summary>
    public ImmutableArray<ushort> Zones { get; init; } = [];

    /// <summary>Which translation the flow has; with both tuples known.</summary>
    public NatMatch Nat { get; init; }

    /// <summary>A mark the kernel left out is 0: it sends none that is zero.</summary>
    public MarkMatch? Mark { get; init; }

    /// <summary>Only TCP flows whose state is known and this one.</summary>
    public TcpState? State { get; init; }

    /// <summary>Only flows whose status is known.</summary>
    public StatusMatch? Status { get; init; }

    /// <summary>Matches every flow.</summary>
    public bool IsEmpty => IsStable && Family == FlowFamily.Unspecified && Nat == NatMatch.Ignore && Protocols.IsEmpty && Sources.IsEmpty
        && Destinations.IsEmpty && Addresses.IsEmpty && SourcePorts.IsEmpty && DestinationPorts.IsEmpty && Zones.IsEmpty;

    /// <summary>No condition can change its answer in a flow's life: there is none on mark, state or status.</summary>
    public bool IsStable => Mark is null && State is null && Status is null;

    /// <summary>
    /// The conditions that hold for a whole life or not at all. Whoever follows flows from NEW to DESTROY filters by these only, else a
    /// flow could match at its start and not at its end.
    /// </summary>
    public FlowFilter Stable => IsStable ? this : this with { Mark = null, State = null, Status = null };

    /// <summary>Whether every condition holds. One on a field that the flow lacks does not.</summary>
    public bool Matches(in Flow flow) =>
        (Family == FlowFamily.Unspecified || flow.Original.Family == Family)
        && (Protocols.IsEmpty || Protocols.AsSpan().Contains(flow.Original.Protocol))
        && MatchesPorts(flow.Original)
        && (Zones.IsEmpty || MatchesZone(flow))
        && (Sources.IsEmpty || ContainsAny(Sources.AsSpan(), flow.Original.Source, flow.Original.Family))
        && (Destinations.IsEmpty || ContainsAny(Destinations.AsSpan(), flow.Original.Destination, flow.Original.Family))
        && (Addresses.IsEmpty || MatchesAddress(flow))
        && MatchesNat(flow)
        && MatchesChanging(flow);

    private bool MatchesChanging(in Flow flow) =>
        (Mark is not { } mark || mark.Matches(flow.Mark))
        && (State is not { } state
            || (flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState) && flow.TcpState == state))
        && (Status is not { } status || (flow.Has(FlowFields.Status) && status.Matches(flow.Status)));

    private bool MatchesPorts(in FlowTuple original) =>
        (SourcePorts.IsEmpty || (original.HasPorts && SourcePorts.AsSpan().Contains(original.SourcePort)))
        && (DestinationPorts.IsEmpty || (original.HasPorts && DestinationPorts.AsSpan().Contains(original.DestinationPort)));

    private bool MatchesZone(in Flow flow) =>
        Zones.AsSpan().Contains(flow.Original.Zone) || (flow.Has(FlowFields.Reply) && Zones.AsSpan().Contains(flow.Reply.Zone));

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
        NatMatch.Any => flow.IsSourceNat || flow.IsDestinationNat,
        NatMatch.Source => flow.IsSourceNat,
        NatMatch.Destination => flow.IsDestinationNat,
        NatMatch.Both => flow.IsSourceNat && flow.IsDestinationNat,
        _ => true,
    };

    private static bool ContainsAny(ReadOnlySpan<IpPrefix> prefixes, IpAddress address, FlowFamily family)
    {
        foreach (ref readonly IpPrefix prefix in prefixes)
        {
            if (prefix.Contains(address, family))
                return true;
        }

        return false;
    }
}
