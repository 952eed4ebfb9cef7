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

    /// <summary>The answer at its source. What a classifier pends on has been answered before; it is not asked again.</summary>
    internal Verdict Confirm(in FlowQuestion question, in Verdict answered)
    {
        foreach (IFlowClassifier classifier in _classifiers)
        {
            Verdict verdict = classifier.Confirm(question);
            if (verdict.Kind == VerdictKind.Pending)
                return answered;
            if (verdict.Kind != VerdictKind.None)
                return verdict;
        }

        return Verdict.None;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IFlowClassifier classifier in _classifiers)
            await classifier.DisposeAsync().ConfigureAwait(false);
    }
}
