using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>
/// Parts of a question, besides family and destination, that an answer may depend on. Flows that differ
/// in others only are asked about once.
/// </summary>
[Flags]
public enum QuestionFields : byte
{
    None = 0,
    Source = 1 << 0,
    SourcePort = 1 << 1,
    Protocol = 1 << 2,
    DestinationPort = 1 << 3,
    Zone = 1 << 4,
    Mark = 1 << 5,
    PathNow = 1 << 6,

    All = Source | SourcePort | Protocol | DestinationPort | Zone | Mark | PathNow,
}

/// <summary>Makes questions equal whose answers are.</summary>
internal static class QuestionShape
{
    /// <summary>The question with everything cleared that <paramref name="fields"/> does not name.</summary>
    internal static FlowQuestion Reduce(this in FlowQuestion question, QuestionFields fields)
    {
        FlowTuple tuple = new() { Destination = question.Original.Destination, Family = question.Original.Family };
        if ((fields & QuestionFields.Source) != QuestionFields.None)
            tuple.Source = question.Original.Source;
        if ((fields & QuestionFields.SourcePort) != QuestionFields.None)
            tuple.SourcePort = question.Original.SourcePort;
        if ((fields & QuestionFields.DestinationPort) != QuestionFields.None)
            tuple.DestinationPort = question.Original.DestinationPort;
        if ((fields & (QuestionFields.Protocol | QuestionFields.SourcePort | QuestionFields.DestinationPort)) != QuestionFields.None)
            tuple.Protocol = question.Original.Protocol;
        if ((fields & QuestionFields.Zone) != QuestionFields.None)
            tuple.Zone = question.Original.Zone;
        return new FlowQuestion(
            tuple,
            (fields & QuestionFields.Mark) != QuestionFields.None ? question.Mark : 0,
            (fields & QuestionFields.PathNow) != QuestionFields.None ? question.PathNow : null);
    }
}
