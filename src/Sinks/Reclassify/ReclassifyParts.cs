using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>What reclassification works with, put together from its options: for the sink, for <c>classify</c> and for <c>doctor</c>.</summary>
internal sealed class ReclassifyParts(PathTable paths, ClassifierChain classifiers, ReclassifyKernel kernel) : IAsyncDisposable
{
    internal PathTable Paths { get; } = paths;

    internal ClassifierChain Classifiers { get; } = classifiers;

    internal ReclassifyKernel Kernel { get; } = kernel;

    public async ValueTask DisposeAsync() => await Classifiers.DisposeAsync().ConfigureAwait(false);
}
