using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>Deletes exactly this entry, by tuple, zone and id; false when it is gone.</summary>
internal delegate bool FlowDeleter(in Flow flow);

/// <summary>Writes the masked bits of the entry's mark; false when it is gone.</summary>
internal delegate bool FlowMarker(in FlowTuple original, uint mark, uint mask);

/// <summary>Would the next look-up choose this path? <see cref="Refusal.None"/> when it would.</summary>
/// <param name="isOwn">The connection is this machine's own: its socket keeps its address, unless it is opened again.</param>
internal delegate Refusal RouteProof(in Flow flow, UplinkPath wanted, out bool isOwn, out string? detail);

/// <summary>
/// What the reclassifier asks the kernel and has it do, as functions, so that it can be driven by a
/// script. Each may throw a NetlinkException.
/// </summary>
internal sealed record ReclassifyKernel
{
    /// <summary>Extras are left out but for helper and master.</summary>
    public required FlowReader Read { get; init; }

    public required FlowDeleter Delete { get; init; }

    public required FlowMarker Remark { get; init; }

    public required RouteProof Prove { get; init; }

    /// <summary>net.netfilter.nf_conntrack_tcp_loose.</summary>
    public required Func<bool> IsTcpLoose { get; init; }

    /// <summary>Why no client can be reset; null when it can.</summary>
    public required Func<string?> WhyNoReset { get; init; }
}
