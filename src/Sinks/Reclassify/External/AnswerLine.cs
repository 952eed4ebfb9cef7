using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// A line of the external classifier, understood: the answer to question <paramref name="Id"/>, or a range to look at again.
/// </summary>
internal readonly record struct AnswerLine(long Id, Verdict Verdict, AddressRange? Reconsider);
