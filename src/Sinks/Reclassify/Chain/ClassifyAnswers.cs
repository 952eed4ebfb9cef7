using System.Threading.Channels;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Chain;

/// <summary>Answers of classifiers that answer later, waited for: one question at a time.</summary>
internal sealed class ClassifyAnswers : IChainHost
{
    private readonly Channel<(FlowQuestion Question, Verdict Verdict, int Next)> _answers = Channel.CreateBounded<(
        FlowQuestion, Verdict, int)>(64);

    /// <summary>A glance has no use for what changes later.</summary>
    public void Reconsider(in AddressRange range)
    {
    }

    public void Answer(in FlowQuestion question, in Verdict verdict) => _answers.Writer.TryWrite((question, verdict, 0));

    public void Pass(in FlowQuestion question, int next) => _answers.Writer.TryWrite((question, Verdict.None, next));

    /// <summary>A classifier whose answer pends tells it within its own deadline.</summary>
    internal Verdict Wait(in FlowQuestion question, ClassifierChain chain, CancellationToken cancellation)
    {
        while (true)
        {
            (FlowQuestion answered, Verdict verdict, int next) = _answers.Reader.ReadAsync(cancellation).AsTask().GetAwaiter().GetResult();
            if (answered != question)
                continue;
            if (next > 0)
                verdict = chain.Classify(question, next);
            if (verdict.Kind != VerdictKind.Pending)
                return verdict;
        }
    }
}
