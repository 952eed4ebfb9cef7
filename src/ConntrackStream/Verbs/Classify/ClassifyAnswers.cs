using System.Threading.Channels;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Service.Verbs.Classify;

/// <summary>Answers of classifiers that answer later, waited for: one question at a time.</summary>
internal sealed class ClassifyAnswers : IClassifierHost
{
    private readonly Channel<(FlowQuestion Question, Verdict Verdict)> _answers = Channel.CreateBounded<(FlowQuestion, Verdict)>(64);

    /// <summary>A glance has no use for what changes later.</summary>
    public void Reconsider(in AddressRange range)
    {
    }

    public void Answer(in FlowQuestion question, in Verdict verdict) => _answers.Writer.TryWrite((question, verdict));

    /// <summary>A classifier whose answer pends tells it within its own deadline.</summary>
    internal Verdict Wait(in FlowQuestion question, CancellationToken cancellation)
    {
        while (true)
        {
            (FlowQuestion answered, Verdict verdict) = _answers.Reader.ReadAsync(cancellation).AsTask().GetAwaiter().GetResult();
            if (answered == question)
                return verdict;
        }
    }
}
