using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Reset;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>What reclassification works with, for the sink, for <c>classify</c> and for <c>doctor</c>. Owns its parts.</summary>
internal sealed class ReclassifyParts(PathTable paths, ClassifierChain classifiers, KernelCalls calls, RouteQuestions routes)
    : IAsyncDisposable
{
    private ReclassifyKernel? _kernel;

    internal PathTable Paths { get; } = paths;

    internal ClassifierChain Classifiers { get; } = classifiers;

    internal RouteQuestions Routes { get; } = routes;

    /// <summary>
    /// What could not be taken from mwan3's and pbr's configuration, and what follows: each a sentence that names the file.
    /// </summary>
    internal IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Like the notes, but so much is left alone for it that little or nothing is left to do.</summary>
    internal IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>One of the classifiers; null when no sets are configured.</summary>
    internal SetClassifier? Sets { get; init; }

    /// <summary>One of the classifiers; null when there are no rules.</summary>
    internal StaticRules? Rules { get; init; }

    internal ReclassifyKernel Kernel => _kernel ??= new ReclassifyKernel
    {
        Read = calls.Read,
        Delete = calls.Delete,
        Remark = calls.Remark,
        Prove = new RouteProver(Routes).Prove,
        IsTcpLoose = () => calls.Sysctl("nf_conntrack_tcp_loose") != 0,
        WhyNoReset = () => WhyNoReset,
    };

    /// <summary>Why no client can be reset; null when it can.</summary>
    internal string? WhyNoReset { get; private set; }

    /// <summary>The table by which clients are reset; null until made.</summary>
    internal IResetCalls? Resets { get; private set; }

    /// <summary>Makes the table.</summary>
    /// <returns>Whether it is there; else <see cref="WhyNoReset"/> says why not.</returns>
    internal bool TryMakeResets()
    {
        try
        {
            Resets = ResetTable.Create(calls.Namespace);
            return true;
        }
        catch (NetlinkException e)
        {
            WhyNoReset = e.Message;
            return false;
        }
    }

    /// <summary>Removes the table.</summary>
    internal void CloseResets()
    {
        Resets?.Dispose();
        Resets = null;
    }

    /// <summary>Finds out whether the table could be made, and makes none.</summary>
    internal void TryResets()
    {
        try
        {
            WhyNoReset = ResetTable.WhyNot(calls.Namespace);
        }
        catch (NetlinkException e)
        {
            WhyNoReset = e.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Classifiers.DisposeAsync().ConfigureAwait(false);
        CloseResets();
        Routes.Dispose();
        calls.Dispose();
    }
}
