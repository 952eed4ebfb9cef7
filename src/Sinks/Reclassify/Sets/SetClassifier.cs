using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>
/// Flows that an ipset or an nftables set holds belong on the path of its rule; the first rule that matches wins. Sets are mirrored in memory:
/// ipsets by listing at the interval, nftables sets by notification. A set that does not exist yet is waited for.
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
                if (entry.Find(question, now, out uint deadline))
                    return entry.Answer(SetClock.Left(deadline, now));
            }
        }

        return Verdict.None;
    }

    /// <summary>
    /// Asks the kernel's sets in order, those too that do not match as far as is known here: the gateway's rules ask them first, and a look-up is
    /// some microseconds.
    /// </summary>
    public Verdict Confirm(in FlowQuestion question)
    {
        foreach (Entry entry in _entries)
        {
            TimeSpan? left = null;
            lock (_mirror.Gate)
            {
                uint now = _mirror.Clock.Now;
                if (entry.Find(question, now, out uint deadline))
                    left = SetClock.Left(deadline, now);
            }

            Errno errno = entry.Source.Test(_asker, question, entry.Rule.Directions, ref left);
            if (errno == Errno.ENOENT)
                continue;
            if (errno == Errno.None)
            {
                _testFails = false;
                return entry.Answer(left);
            }

            return Fail(entry, errno);
        }

        return Verdict.None;
    }

    public async ValueTask DisposeAsync()
    {
        if (_reader is not null)
            await _reader.StopAsync().ConfigureAwait(false);
        _asker.Dispose();
    }

    private Verdict Fail(Entry entry, Errno errno)
    {
        Volatile.Write(ref _confirmFailures, _confirmFailures + 1);
        if (!_testFails)
            _mirror.Logger.SetTestFailed(entry.Source.Reason, $"{errno} ({NetlinkException.DescribeErrno(errno)})");
        _testFails = true;
        return Verdict.None;
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

        internal Verdict Answer(TimeSpan? left) => Verdict.To(rule.Path, source.Reason, left) with { Origin = source.Reason };
    }
}
