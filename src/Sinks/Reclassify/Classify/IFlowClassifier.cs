namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>
/// Which path should a flow take? The port for one's own answer, from another assembly too (trusted code: it runs within the service).
/// <see cref="Classify"/> and <see cref="Confirm"/> come from one thread at a time, for each new flow: they answer from memory, within
/// microseconds, and do not allocate. What takes longer answers <see cref="VerdictKind.Pending"/> and tells later.
/// </summary>
public interface IFlowClassifier : IAsyncDisposable
{
    /// <summary>Short name for logs and metrics, such as <c>sets</c>.</summary>
    string Name { get; }

    /// <summary>How it is, for <c>/v1/status</c> and metrics; from any thread.</summary>
    ClassifierStatus Status { get; }

    /// <summary>
    /// What its answers may depend on, besides family and destination: the less, the fewer questions. Quick;
    /// it may change with what it has read.
    /// </summary>
    QuestionFields Fields => QuestionFields.All;

    /// <summary>
    /// Called once before the first question; throws when it cannot work at all (the service then fails to
    /// start). What may come later is waited for.
    /// </summary>
    ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken);

    /// <summary>The answer as far as it is known now.</summary>
    Verdict Classify(in FlowQuestion question);

    /// <summary>
    /// Asked right before an action that an answer suggested: the answer at its source (a set in the kernel), not from a copy;
    /// <see cref="VerdictKind.Pending"/>: what was answered stands.
    /// </summary>
    Verdict Confirm(in FlowQuestion question) => Classify(question);
}

/// <summary>What a classifier may tell the service; from any thread, never blocking.</summary>
public interface IClassifierHost
{
    /// <summary>The answers for flows with either end of their original direction in this range may be others now.</summary>
    void Reconsider(in AddressRange range);

    /// <summary>
    /// The answer to a question that was <see cref="VerdictKind.Pending"/>; flows wait for it for a little over a minute.
    /// </summary>
    void Answer(in FlowQuestion question, in Verdict verdict);
}

/// <param name="Name">As <see cref="IFlowClassifier.Name"/>.</param>
/// <param name="IsWorking">False when it waits for something or has failed; it may recover.</param>
/// <param name="Text">One line for people: what it has, or what it waits for, such as <c>2 sets, 100,012 members;
/// waiting for ipset app_9.v4</c>.</param>
public sealed record ClassifierStatus(string Name, bool IsWorking, string Text);
