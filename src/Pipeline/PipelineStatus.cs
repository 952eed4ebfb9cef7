using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline;

/// <summary>A glance at the pipeline's figures; each value is whole, the set is not a snapshot.</summary>
public sealed record PipelineStatus
{
    /// <summary>Flows in the view, by family.</summary>
    public required int FlowsIPv4 { get; init; }

    public required int FlowsIPv6 { get; init; }

    /// <summary>Flows known from a dump only.</summary>
    public required int Untapped { get; init; }

    /// <summary>The first round is done and no loss lies unrepaired.</summary>
    public required bool Synced { get; init; }

    /// <summary>What became of unusual events, and what dumps put right.</summary>
    public LiveView.ViewCounters Counters { get; init; } = new();

    /// <summary>Moves while the loop makes progress.</summary>
    public required long Turns { get; init; }

    /// <summary>Messages waiting for the loop.</summary>
    public required int Backlog { get; init; }

    /// <summary>Changes written to the sinks since the start.</summary>
    public required long Changes { get; init; }

    public required long Rounds { get; init; }

    public required long FailedRounds { get; init; }

    public required long ProbeAlarms { get; init; }

    /// <summary>The last comparison with the kernel, null before the first.</summary>
    public required RoundReport? LastRound { get; init; }

    /// <summary>Gaps written to every sink since the start; a sink's own are not among them.</summary>
    public GapCounters Gaps { get; init; } = new();

    public required IReadOnlyList<SinkStatus> Sinks { get; init; }
}

/// <summary>One sink's queue.</summary>
public sealed record SinkStatus(string Name, int WaitingBatches, long Written, long Dropped);
