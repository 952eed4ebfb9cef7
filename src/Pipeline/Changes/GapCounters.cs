namespace ConntrackStream.Pipeline.Changes;

/// <summary>Gaps since start, by reason. Written by one thread, read by polling from anywhere.</summary>
public sealed class GapCounters
{
    /// <summary>Every reason, in order.</summary>
    public static IReadOnlyList<FlowGapReason> Reasons { get; } = Enum.GetValues<FlowGapReason>();

    private readonly long[] _counts = new long[Reasons.Count];

    /// <summary>Gaps of this reason.</summary>
    public long this[FlowGapReason reason] => Volatile.Read(ref _counts[(int)reason]);

    /// <summary>One more.</summary>
    public void Count(FlowGapReason reason) => _counts[(int)reason]++;
}
