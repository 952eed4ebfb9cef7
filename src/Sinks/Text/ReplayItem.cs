using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>One step of a recording: a batch of events, of which the receiver owns one reference, or a gap. Exactly one is set.</summary>
public readonly record struct ReplayItem(FlowBatch? Batch, FlowGap? Gap);

/// <summary>A line or packet that could not be read.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Text">What is wrong with it.</param>
/// <param name="Unit">What is counted.</param>
public sealed record ReplayProblem(long Line, string Text, string Unit = "line")
{
    public override string ToString() => FormattableString.Invariant($"{Unit} {Line}: {Text}");
}
