using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify.Classify;

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

    internal async ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
    {
        foreach (IFlowClassifier classifier in _classifiers)
            await classifier.StartAsync(host, cancellationToken).ConfigureAwait(false);
    }

    internal Verdict Classify(in FlowQuestion question)
    {
        foreach (IFlowClassifier classifier in _classifiers)
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
}
