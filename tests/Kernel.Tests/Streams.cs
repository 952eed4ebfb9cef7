using System.Collections.Concurrent;
using Xunit.v3;

[assembly: CollectionBehavior(typeof(ConntrackStream.Kernel.Tests.Streams), MaxParallelThreads = 2)]

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Two streams of tests at a time, about as long as each other, in each of which tests take turns: those of reclassification and deletion,
/// which mostly wait for connections to become quiet or entries to be settled, and all others. What is one for the machine (the connection
/// table's size, its buckets) only the others change.
/// </summary>
public sealed class Streams(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private static readonly string[] Waiting = ["ConntrackStream.Kernel.Tests.Reclassify", "ConntrackStream.Kernel.Tests.Delete"];

    private readonly ConcurrentDictionary<string, IXunitTestCollection> _collections = new(StringComparer.Ordinal);

    public string DisplayName => "two streams";

    public IXunitTestCollection Get(Type testClass) => _collections.GetOrAdd(
        Waiting.Any(name => testClass.Namespace!.StartsWith(name, StringComparison.Ordinal)) ? "waiting" : "all others",
        name => new XunitTestCollection(assembly, collectionDefinition: null, disableParallelization: false, name));
}
