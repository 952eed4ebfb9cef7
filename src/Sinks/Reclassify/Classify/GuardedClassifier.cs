using ConntrackStream.Sinks.Reclassify.Messages;

namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>
/// The boundary to a classifier of somebody else's: what it throws counts as no opinion, is told once a minute, and shows in its status
/// until it answers again.
/// </summary>
internal sealed class GuardedClassifier(IFlowClassifier inner, TimeProvider time, ILogger logger) : IFlowClassifier
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _logging = new(); // its status is asked from any thread
    private long? _loggedAt;
    private volatile string? _fault; // null while it answers

    public string Name { get; } = inner.Name;

    public ClassifierStatus Status
    {
        get
        {
            if (_fault is { } fault)
                return new ClassifierStatus(Name, IsWorking: false, fault);
            try
            {
                return inner.Status;
            }
            catch (Exception e) when (IsTold(e))
            {
                return new ClassifierStatus(Name, IsWorking: false, Text(e));
            }
        }
    }

    /// <summary>All, when it cannot tell.</summary>
    public QuestionFields Fields
    {
        get
        {
            try
            {
                return inner.Fields;
            }
            catch (Exception e) when (IsTold(e))
            {
                return QuestionFields.All;
            }
        }
    }

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

    public async ValueTask DisposeAsync()
    {
        try
        {
            await inner.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (IsTold(e))
        {
            // the classifiers after it have programs to end
        }
    }

    private bool IsTold(Exception e)
    {
        _fault = Text(e);
        lock (_logging)
        {
            if (_loggedAt is { } before && time.GetElapsedTime(before) < LogInterval)
                return true;
            _loggedAt = time.GetTimestamp();
        }

        logger.ClassifierFailed(e, Name);
        return true;
    }

    private static string Text(Exception e) => $"{e.GetType()}: {e.Message}";
}
