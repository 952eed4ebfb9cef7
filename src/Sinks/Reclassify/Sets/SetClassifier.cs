using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>
/// Flows that an ipset or an nftables set holds belong on the path of its rule; the first rule that matches wins. Sets are mirrored in
/// memory: ipsets by listing at the interval, nftables sets by notification. A set that does not exist yet is waited for.
/// </summary>
public sealed partial class SetClassifier : IFlowClassifier
{
    private readonly Entry[] _entries;
    private readonly NetworkNamespace _namespace;
    private readonly TimeSpan _interval;
    private readonly Mirror _mirror;
    private readonly SourceList _sources;
    private readonly SetLink _asker; // of the thread that confirms
    private SetReader? _reader;
    private bool _testFails;
    private long _confirmFailures;

    /// <param name="rules">In order.</param>
    /// <param name="networkNamespace">Where the sets are; must live as long as this.</param>
    /// <param name="interval">Between two readings of a set that tells no changes; longer for large sets.</param>
    public SetClassifier(
        IReadOnlyList<SetRule> rules, NetworkNamespace networkNamespace, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _namespace = networkNamespace;
        _interval = interval;
        _mirror = new Mirror(time, logger);
        _sources = new SourceList(rules, _mirror);
        _entries = [.. rules.Select(rule => new Entry(rule, _sources.Of(rule.Set)))];
        _asker = new SetLink(networkNamespace);
    }

    public string Name => "sets";

    /// <summary>Confirmations that failed for another reason than a miss; the flow then has no verdict.</summary>
    public long ConfirmFailures => Volatile.Read(ref _confirmFailures);

    /// <summary>Returns when the reading of every set has been tried.</summary>
    /// <exception cref="NetlinkException">No netlink socket can be opened.</exception>
    public async ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
    {
        if (_entries.Length == 0)
            return;
        _asker.Open();
        _reader = new SetReader(_sources, _mirror, _namespace, _interval, host);
        await _reader.StartAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Verdict Classify(in FlowQuestion question)
    {
        lock (_mirror.Gate)
        {
            uint now = _mirror.Clock.Now;
            foreach (Entry entry in _entries)
            {
                Verdict verdict = !entry.IsReadable ? entry.OfUnknown(question)
                    : entry.Find(question, now, out uint deadline) ? entry.OfMember(question, SetClock.Left(deadline, now))
                    : Verdict.None;
                if (verdict.Kind != VerdictKind.None)
                    return verdict;
            }
        }

        return Verdict.None;
    }

    /// <summary>
    /// Asks the kernel's sets in order, those too that do not match as far as is known here: the gateway's rules ask them first, and a
    /// look-up is some microseconds.
    /// </summary>
    public Verdict Confirm(in FlowQuestion question)
    {
        foreach (Entry entry in _entries)
        {
            TimeSpan? left = null;
            bool isReadable;
            lock (_mirror.Gate)
            {
                isReadable = entry.IsReadable;
                uint now = _mirror.Clock.Now;
                if (entry.Find(question, now, out uint deadline))
                    left = SetClock.Left(deadline, now);
            }

            Errno errno = isReadable || entry.Rule.Scope is null
                ? entry.Source.Test(_asker, question, entry.Rule.Directions, ref left)
                : Errno.EAGAIN;
            if (errno == Errno.None)
                _testFails = false;
            Verdict verdict = errno switch
            {
                Errno.None => entry.OfMember(question, left),
                Errno.ENOENT => Verdict.None,
                _ when isReadable => Fail(entry, errno, question),
                _ => entry.OfUnknown(question),
            };
            if (verdict.Kind != VerdictKind.None || (errno is not (Errno.None or Errno.ENOENT) && entry.Rule.Scope is null))
                return verdict;
        }

        return Verdict.None;
    }

    public async ValueTask DisposeAsync()
    {
        if (_reader is not null)
            await _reader.StopAsync().ConfigureAwait(false);
        _asker.Dispose();
    }

    private Verdict Fail(Entry entry, Errno errno, in FlowQuestion question)
    {
        Volatile.Write(ref _confirmFailures, _confirmFailures + 1);
        if (!_testFails)
            _mirror.Logger.SetTestFailed(entry.Source.Reason, $"{errno} ({NetlinkException.DescribeErrno(errno)})");
        _testFails = true;
        return entry.OfUnknown(question);
    }

    /// <summary>A rule and its set.</summary>
    private sealed class Entry(SetRule rule, SetSource source)
    {
        internal SetRule Rule => rule;

        internal SetSource Source => source;

        internal bool Find(in FlowQuestion question, uint now, out uint deadline)
        {
            deadline = 0;
            return source.Content is { } content && rule.Directions.Cover(content.Dimensions)
                && content.Find(question, rule.Directions, now, out deadline);
        }

        /// <summary>Its members can be looked up; of a rule without a scope a set that cannot be has none.</summary>
        internal bool IsReadable => rule.Scope is null || (source.Content is { } content && rule.Directions.Cover(content.Dimensions));

        internal Verdict OfMember(in FlowQuestion question, TimeSpan? left)
        {
            if (rule.Scope is null)
                return Verdict.To(rule.Path, source.Reason, left) with { Origin = source.Reason };
            Verdict verdict = rule.Scope.OfMember(question);
            return verdict.Kind switch
            {
                VerdictKind.Path => Verdict.To(verdict.Path!, source.Reason, left) with { Origin = source.Reason },
                VerdictKind.Keep => verdict with { ValidFor = left },
                _ => Verdict.None,
            };
        }

        internal Verdict OfUnknown(in FlowQuestion question) => rule.Scope?.OfUnknown(question) ?? Verdict.None;
    }
}
