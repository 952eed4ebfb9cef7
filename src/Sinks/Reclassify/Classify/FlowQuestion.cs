using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>What a classifier is asked about: a flow as far as it decides over the path. Equal questions have equal answers.</summary>
/// <param name="Original">The original direction, its zone included: source is who opened the flow. ICMP: see
/// <see cref="FlowTuple"/>.</param>
/// <param name="Mark">The flow's mark (CTA_MARK) as last seen; 0 where none is written.</param>
/// <param name="PathNow">Name of the path the flow is on; null when it cannot be told.</param>
public readonly record struct FlowQuestion(FlowTuple Original, uint Mark, string? PathNow)
{
    public override int GetHashCode() =>
        KeyedHash.Start.Add(Original).Add((ulong)Mark << 32 | (uint)(PathNow?.GetHashCode(StringComparison.Ordinal) ?? 0)).Code;
}
