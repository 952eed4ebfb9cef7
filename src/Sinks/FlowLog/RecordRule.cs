using System.Collections.Immutable;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// A rule of <c>Allow</c> or <c>Deny</c>: every condition that is given must hold, and one of its alternatives is enough.
/// </summary>
internal sealed record RecordRule
{
    /// <summary>Bits by <see cref="FlowChangeKind"/>; 0 for every kind.</summary>
    internal int Kinds { get; init; }

    internal FlowFilter Flow { get; init; } = FlowFilter.All;

    /// <summary>Original source ports. A flow that has none (ICMP, ESP, …) never matches.</summary>
    internal ImmutableArray<PortRange> SourcePorts { get; init; } = [];

    /// <summary>Original destination ports; see <see cref="SourcePorts"/>.</summary>
    internal ImmutableArray<PortRange> DestinationPorts { get; init; } = [];

    internal bool Matches(in FlowChange change) =>
        (Kinds == 0 || (Kinds & (1 << (int)change.Kind)) != 0)
        && (SourcePorts.IsEmpty || HasPort(change.Flow.Original, SourcePorts, change.Flow.Original.SourcePort))
        && (DestinationPorts.IsEmpty || HasPort(change.Flow.Original, DestinationPorts, change.Flow.Original.DestinationPort))
        && Flow.Matches(change.Flow);

    private static bool HasPort(in FlowTuple original, ImmutableArray<PortRange> ranges, ushort port)
    {
        if (!original.Protocol.HasPorts())
            return false;
        foreach (PortRange range in ranges.AsSpan())
        {
            if (range.Contains(port))
                return true;
        }

        return false;
    }
}
