using System.Collections.Concurrent;
using Xunit.v3;

[assembly: CollectionBehavior(typeof(ConntrackStream.Kernel.Tests.Streams), MaxParallelThreads = 4)]

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Four streams of tests at a time, about equally long (some three minutes), in each of which tests take turns. They mostly wait: for
/// connections to become quiet, for entries to be settled, for processes. What is one for the machine, the connection table's size, is held
/// under a lock (<see cref="Kit.TableSize"/>). Those that change its buckets, by which any dump may repeat entries or leave some out, run
/// after all of them, alone.
/// </summary>
public sealed class Streams(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private const string Alone = "alone";

    private readonly ConcurrentDictionary<string, IXunitTestCollection> _collections = new(StringComparer.Ordinal);

    public string DisplayName => "four streams";

    public IXunitTestCollection Get(Type testClass) => _collections.GetOrAdd(
        NameOf(testClass),
        name => new XunitTestCollection(assembly, collectionDefinition: null, disableParallelization: name == Alone, name));

    private static string NameOf(Type testClass)
    {
        if (testClass == typeof(TableResizeTests))
            return Alone;
        return testClass.Namespace!.Split('.').Skip(3).ToArray() switch
        {
            ["Reclassify", "Moves", ..] or ["Delete", ..] or ["Soak", ..] => "moves, deletion, soak",
            ["Reclassify", ..] => "reclassification",
            ["Service", ..] or ["Conntrack", ..] or ["Ipfix", ..] or ["Syslog", ..] => "service, exporters, command line",
            _ => "all others",
        };
    }
}
