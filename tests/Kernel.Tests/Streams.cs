using System.Collections.Concurrent;
using Xunit.v3;

[assembly: CollectionBehavior(typeof(ConntrackStream.Kernel.Tests.Streams), MaxParallelThreads = 2)]

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Two streams of tests at a time, in each of which tests take turns: those of reclassification, which mostly wait for connections to
/// become quiet, and all others. What is one for the machine (the connection table's size, its buckets) only the others change.
/// </summary>
public sealed class Streams(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private const string Reclassify = "ConntrackStream.Kernel.Tests.Reclassify";

    private readonly ConcurrentDictionary<string, IXunitTestCollection> _collections = new(StringComparer.Ordinal);

    public string DisplayName => "two streams";

    public IXunitTestCollection Get(Type testClass) => _collections.GetOrAdd(
        testClass.Namespace!.StartsWith(Reclassify, StringComparison.Ordinal) ? "reclassification" : "all others",
        name => new XunitTestCollection(assembly, collectionDefinition: null, disableParallelization: false, name));
}
