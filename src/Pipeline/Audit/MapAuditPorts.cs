using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>What the map audit needs from the pipeline around it.</summary>
internal sealed record MapAuditPorts
{
    /// <summary>Makes the loop look for work; called on the scan's thread.</summary>
    public required Action Wake { get; init; }

    /// <summary>Asks for a round of the view, which an audit of the map follows.</summary>
    public required Action RequestRound { get; init; }

    /// <summary>Rounds given up because the dump failed, since the start.</summary>
    public required Func<long> FailedRounds { get; init; }

    /// <summary>The namespace's timeouts; null when they cannot be read. Called on the scan's thread.</summary>
    public required Func<Delete.KernelTimeouts?> Timeouts { get; init; }

    /// <summary>Between two regular audits of the view.</summary>
    public required TimeSpan Interval { get; init; }
}
