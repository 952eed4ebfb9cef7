using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Filtering;

/// <summary>A filter while its conditions are read: what one of them means may depend on the others.</summary>
internal sealed class FilterDraft
{
    internal FlowFilter Filter { get; set; } = FlowFilter.All;

    /// <summary>Masks of the sources and of the destinations.</summary>
    internal IpPrefix? SourceMask { get; set; }

    internal IpPrefix? DestinationMask { get; set; }

    /// <summary>Keys of GRE are given, which are kept where others keep ports.</summary>
    internal bool HasKeys { get; set; }

    internal bool HasPorts { get; set; }

    /// <summary>src-nat, dst-nat and any-nat are given.</summary>
    internal bool IsSourceNat { get; set; }

    internal bool IsDestinationNat { get; set; }

    internal bool IsAnyNat { get; set; }

    /// <summary>The finished filter.</summary>
    /// <param name="problem">Conditions that do not go together, by name.</param>
    internal bool TryFinish(out FlowFilter filter, [NotNullWhen(false)] out string? problem)
    {
        filter = Filter with
        {
            Nat = IsAnyNat ? NatMatch.Any
                : IsSourceNat && IsDestinationNat ? NatMatch.Both
                : IsSourceNat ? NatMatch.Source
                : IsDestinationNat ? NatMatch.Destination
                : Filter.Nat,
        };
        problem = IsAnyNat && (IsSourceNat || IsDestinationNat) ? "any-nat: means src-nat or dst-nat, so it does not go with either"
            : HasKeys ? ProblemOfKeys()
            : null;
        if (problem is null && HasKeys)
            filter = filter with { Protocols = [IpProtocol.Gre] };
        if (problem is null && SourceMask is { } sourceMask)
            filter = filter with { Sources = Masked(Filter.Sources, sourceMask, "src", ref problem) };
        if (problem is null && DestinationMask is { } destinationMask)
            filter = filter with { Destinations = Masked(Filter.Destinations, destinationMask, "dst", ref problem) };
        return problem is null;
    }

    private string? ProblemOfKeys() =>
        HasPorts ? "srckey, dstkey: GRE has keys in place of ports, so they do not go with ports"
        : Filter.Protocols.Any(static protocol => protocol != IpProtocol.Gre)
            ? "srckey, dstkey: only GRE has keys; say proto gre or nothing"
        : null;

    private static ImmutableArray<IpPrefix> Masked(ImmutableArray<IpPrefix> prefixes, IpPrefix mask, string end, ref string? problem)
    {
        int whole = mask.Family == FlowFamily.IPv4 ? 32 : 128;
        problem = prefixes.IsEmpty ? $"mask-{end}: needs {end}, whose bits it chooses"
            : prefixes.Any(prefix => prefix.Family != mask.Family) ? $"mask-{end}: is of another family than {end}"
            : prefixes.Any(prefix => prefix.Length != whole) ? $"mask-{end}: {end} has a mask of its own"
            : null;
        return problem is null ? [.. prefixes.Select(prefix => prefix.WithMask(mask))] : [];
    }
}
