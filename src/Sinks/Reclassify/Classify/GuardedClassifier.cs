namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>
/// The boundary to a classifier of somebody else's: what it throws counts as no opinion, is told once a minute, and shows in its status until it
/// answers again.
/// </summary>
internal sealed class GuardedClassifier(IFlowClassifier inner, TimeProvider time, ILogger logger) : IFlowClassifier
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private long? _loggedAt;
    private volatile string? _fault; // null while it answers

    public string Name => inner.Name;

    public ClassifierStatus Status => _fault is { } fault ? new ClassifierStatus(Name, IsWorking: false, fault) : inner.Status;

    public QuestionFields Fields => inner.Fields;

    public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => inner.StartAsync(host, cancellationToken);

    public Verdict Classify(in FlowQuestion question)
    {
        try
        {
            Verdict verdict = inner.Classify(question);
            _fault = null;
            return verdict;
        }
        catch (Exception e) when (IsTold(e))
        {
            return Verdict.None;
        }
    }

    public Verdict Confirm(in FlowQuestion question)
    {
        try
        {
            return inner.Confirm(question);
        }
        catch (Exception e) when (IsTold(e))
        {
            return Verdict.None;
        }
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private bool IsTold(Exception e)
    {
        _fault = $"{e.GetType()}: {e.Message}";
        if (_loggedAt is { } before && time.GetElapsedTime(before) < LogInterval)
            return true;
        _loggedAt = time.GetTimestamp();
        logger.ClassifierFailed(e, Name);
        return true;
    }
}
