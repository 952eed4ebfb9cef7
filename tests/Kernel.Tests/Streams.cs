using System.Collections.Concurrent;
using Xunit.v3;

[assembly: CollectionBehavior(typeof(ConntrackStream.Kernel.Tests.Streams), MaxParallelThreads = 3)]

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Three streams of tests at a time, in each of which tests take turns: those of reclassification, which mostly wait for connections to
/// become quiet; those of deletion and of the running service, which wait for entries to be settled and for processes; and all others. What
/// is one for the machine, the connection table's size, is held under a lock (<see cref="Kit.TableSize"/>). Those that change its buckets,
/// by which any dump may repeat entries or leave some out, run after all of them, alone.
/// </summary>
public sealed class Streams(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private const string Alone = "alone";

    private readonly ConcurrentDictionary<string, IXunitTestCollection> _collections = new(StringComparer.Ordinal);

    public string DisplayName => "three streams";

    public IXunitTestCollection Get(Type testClass) => _collections.GetOrAdd(
        NameOf(testClass),
        name => new XunitTestCollection(assembly, collectionDefinition: null, disableParallelization: name == Alone, name));

    private static string NameOf(Type testClass)
    {
        if (testClass == typeof(TableResizeTests))
            return Alone;
        return testClass.Namespace!.Split('.').ElementAtOrDefault(3) switch
        {
            "Reclassify" => "reclassification",
            "Delete" or "Service" => "deletion and service",
            _ => "all others",
        };
    }
}
