using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify.Chain;

/// <summary>The classifiers in order: the first with an opinion counts.</summary>
internal sealed class ClassifierChain(IReadOnlyList<IFlowClassifier> classifiers) : IAsyncDisposable
{
    private readonly IFlowClassifier[] _classifiers = [.. classifiers];

    /// <summary>What an answer of any of them may depend on.</summary>
    internal QuestionFields Fields
    {
        get
        {
            QuestionFields fields = QuestionFields.None;
            foreach (IFlowClassifier classifier in _classifiers)
                fields |= classifier.Fields;
            return fields;
        }
    }

    internal IReadOnlyList<ClassifierStatus> Statuses => [.. _classifiers.Select(static classifier => classifier.Status)];

    /// <summary>Null when there is no external one.</summary>
    internal ExternalCounters? External => _classifiers.OfType<ExternalClassifier>().FirstOrDefault()?.Counters;

    internal async ValueTask StartAsync(IChainHost host, CancellationToken cancellationToken)
    {
        for (int i = 0; i < _classifiers.Length; i++)
            await _classifiers[i].StartAsync(i + 1 < _classifiers.Length ? new Place(host, i + 1) : host, cancellationToken)
                .ConfigureAwait(false);
    }

    /// <param name="first">From which classifier on; those before it have no opinion.</param>
    internal Verdict Classify(in FlowQuestion question, int first = 0)
    {
        foreach (IFlowClassifier classifier in _classifiers.AsSpan(first))
        {
            Verdict verdict = classifier.Classify(question);
            if (verdict.Kind != VerdictKind.None)
                return verdict;
        }

        return Verdict.None;
    }

    /// <summary>The answer at its source.</summary>
    /// <param name="answered">What was answered from memory; stands where the classifier it is from cannot confirm.</param>
    internal Verdict Confirm(in FlowQuestion question, in Verdict answered)
    {
        foreach (IFlowClassifier classifier in _classifiers)
        {
            Verdict verdict = classifier.Confirm(question);
            if (verdict.Kind == VerdictKind.Pending)
                return answered;
            if (verdict.Kind != VerdictKind.None)
                return verdict;
            if (classifier.Classify(question).Kind is VerdictKind.Path or VerdictKind.Keep)
                return Verdict.None; // the answer was this one's, from a copy that is out of date
        }

        return Verdict.None;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IFlowClassifier classifier in _classifiers)
            await classifier.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A classifier that is not the last: when it answers later that it has no opinion, the next ones are asked.</summary>
    private sealed class Place(IChainHost host, int next) : IClassifierHost
    {
        public void Reconsider(in AddressRange range) => host.Reconsider(range);

        public void Answer(in FlowQuestion question, in Verdict verdict)
        {
            if (verdict.Kind == VerdictKind.None)
                host.Pass(question, next);
            else
                host.Answer(question, verdict);
        }
    }
}
