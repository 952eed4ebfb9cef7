using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>Flows of one kind and their path. What is null matches all.</summary>
public sealed record StaticRule
{
    /// <summary>Name of the path; null: leave such flows alone.</summary>
    public required string? Path { get; init; }

    /// <summary>Where the rule is from, for people, such as <c>/etc/cs/rules line 3</c>: the reason of its verdicts.</summary>
    public required string Origin { get; init; }

    /// <summary>Protocol of the flow. A rule with ports and without a protocol matches those protocols that have ports.</summary>
    public IpProtocol? Protocol { get; init; }

    /// <summary>Source of the original direction.</summary>
    public IpPrefix? Source { get; init; }

    /// <summary>Destination of the original direction.</summary>
    public IpPrefix? Destination { get; init; }

    public PortRange? SourcePort { get; init; }

    public PortRange? DestinationPort { get; init; }

    /// <summary>The flow's connmark.</summary>
    public MarkMatch? Mark { get; init; }

    /// <summary>Sources that it does not match.</summary>
    public IReadOnlyList<IpPrefix> NotSources { get; init; } = [];

    /// <summary>Destinations that it does not match.</summary>
    public IReadOnlyList<IpPrefix> NotDestinations { get; init; } = [];

    internal Verdict Verdict => Path is null ? Verdict.Keep(Origin) : Verdict.To(Path, Origin) with { Origin = Origin };

    /// <summary>Whether the rule is about such flows.</summary>
    public bool Matches(in FlowTuple tuple, uint mark) =>
        (Protocol is not { } protocol || protocol == tuple.Protocol)
            && (DestinationPort is not { } dport || (tuple.Protocol.HasPorts() && dport.Contains(tuple.DestinationPort)))
            && (SourcePort is not { } sport || (tuple.Protocol.HasPorts() && sport.Contains(tuple.SourcePort)))
            && (Destination is not { } destination || destination.Contains(tuple.Destination, tuple.Family))
            && (Source is not { } source || source.Contains(tuple.Source, tuple.Family))
            && (Mark is not { } written || written.Matches(mark))
            && !IsAmong(NotSources, tuple.Source, tuple.Family)
            && !IsAmong(NotDestinations, tuple.Destination, tuple.Family);

    private static bool IsAmong(IReadOnlyList<IpPrefix> prefixes, IpAddress address, FlowFamily family)
    {
        for (int i = 0; i < prefixes.Count; i++)
        {
            if (prefixes[i].Contains(address, family))
                return true;
        }

        return false;
    }
}
