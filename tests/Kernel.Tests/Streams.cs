using System.Collections.Concurrent;
using Xunit.v3;

[assembly: CollectionBehavior(typeof(ConntrackStream.Kernel.Tests.Streams), MaxParallelThreads = 2)]

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Two streams of tests at a time, about as long as each other, in each of which tests take turns: those of reclassification and deletion,
/// which mostly wait for connections to become quiet or entries to be settled, and all others. What is one for the machine: only the others
/// change the connection table's size, and those that change its buckets, by which any dump may repeat entries or leave some out, run
/// after both, alone.
/// </summary>
public sealed class Streams(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private static readonly string[] Waiting = ["ConntrackStream.Kernel.Tests.Reclassify", "ConntrackStream.Kernel.Tests.Delete"];

    private const string Alone = "alone";

    private readonly ConcurrentDictionary<string, IXunitTestCollection> _collections = new(StringComparer.Ordinal);

    public string DisplayName => "two streams";

    public IXunitTestCollection Get(Type testClass) => _collections.GetOrAdd(
        NameOf(testClass),
        name => new XunitTestCollection(assembly, collectionDefinition: null, disableParallelization: name == Alone, name));

    private static string NameOf(Type testClass)
    {
        if (testClass == typeof(TableResizeTests))
            return Alone;
        return Waiting.Any(name => testClass.Namespace!.StartsWith(name, StringComparison.Ordinal)) ? "waiting" : "all others";
    }
}
