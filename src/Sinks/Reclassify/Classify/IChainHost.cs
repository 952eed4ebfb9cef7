using ConntrackStream.Sinks.Reclassify.Chain;

namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>What a chain of classifiers is hosted by: <see cref="ReclassifySink"/>, and <c>classify</c> and <c>doctor</c>.</summary>
internal interface IChainHost : IClassifierHost
{
    /// <summary>
    /// A classifier that was waited for has no opinion: the question goes on, as <see cref="ClassifierChain.Classify"/>
    /// does from <paramref name="next"/> on.
    /// </summary>
    void Pass(in FlowQuestion question, int next);
}
