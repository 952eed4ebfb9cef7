using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>What reclassification works with, for the sink, for <c>classify</c> and for <c>doctor</c>. Owns its parts.</summary>
internal sealed class ReclassifyParts(PathTable paths, ClassifierChain classifiers, KernelCalls calls, RouteQuestions routes) : IAsyncDisposable
{
    internal PathTable Paths { get; } = paths;

    internal ClassifierChain Classifiers { get; } = classifiers;

    internal RouteQuestions Routes { get; } = routes;

    /// <summary>What could not be taken from mwan3's and pbr's configuration, and what follows: each a sentence that names the file.</summary>
    internal IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>One of the classifiers; null when no sets are configured.</summary>
    internal SetClassifier? Sets { get; init; }

    /// <summary>One of the classifiers; null when there are no rules.</summary>
    internal StaticRules? Rules { get; init; }

    internal ReclassifyKernel Kernel { get; } = new()
    {
        Read = calls.Read,
        Delete = calls.Delete,
        Remark = calls.Remark,
        Prove = new RouteProver(routes).Prove,
        IsTcpLoose = () => calls.Sysctl("nf_conntrack_tcp_loose") != 0,
        IsAccounting = () => calls.Sysctl("nf_conntrack_acct") != 0,
        EstablishedTimeouts = () =>
        [
            calls.Sysctl("nf_conntrack_tcp_timeout_established"), calls.Sysctl("nf_conntrack_tcp_timeout_unacknowledged"), calls.Sysctl("nf_conntrack_tcp_timeout_max_retrans"),
        ],
    };

    public async ValueTask DisposeAsync()
    {
        await Classifiers.DisposeAsync().ConfigureAwait(false);
        Routes.Dispose();
        calls.Dispose();
    }
}
