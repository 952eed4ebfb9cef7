using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>What has been done since the start; written by the sink's own calls alone, read from anywhere.</summary>
internal sealed class ReclassifyCounters
{
    private static readonly int Reasons = Enum.GetValues<Refusal>().Length;
    private static readonly int Outcomes = Enum.GetValues<ActionOutcome>().Length;

    private readonly long[] _refused = new long[Reasons];
    private readonly long[] _outcomes = new long[Outcomes];

    /// <summary>Looks at flows: when they begin, again later, and when a set has changed.</summary>
    internal long Looks { get; set; }

    /// <summary>Questions that a classifier was asked; the other looks were answered from memory.</summary>
    internal long Questions { get; set; }

    /// <summary>Looks that found a flow on the wrong path.</summary>
    internal long Misplaced { get; set; }

    /// <summary>Entries deleted, or that would have been (dry run).</summary>
    internal long Deleted { get; set; }

    /// <summary>Connections whose client was reset, or would be with its next packet (dry run).</summary>
    internal long Resets { get; set; }

    /// <summary>Entries re-marked, or that would have been (dry run).</summary>
    internal long Remarked { get; set; }

    /// <summary>Times the live view was gone through because sets had changed.</summary>
    internal long Sweeps { get; set; }

    /// <summary>Answers that named a path there is none of.</summary>
    internal long UnknownPaths { get; set; }

    internal long Of(Refusal reason) => _refused[(int)reason];

    internal long Of(ActionOutcome outcome) => _outcomes[(int)outcome];

    internal void Add(Refusal reason) => _refused[(int)reason]++;

    internal void Add(ActionOutcome outcome) => _outcomes[(int)outcome]++;
}
