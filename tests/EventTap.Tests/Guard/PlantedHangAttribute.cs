using System.Runtime.CompilerServices;
using Xunit.Sdk;
using Xunit.v3;

namespace ConntrackStream.EventTap.Tests.Guard;

/// <summary>A test that exists only in a process whose environment asks for it: elsewhere it is not even skipped.</summary>
[XunitTestCaseDiscoverer(typeof(Discoverer))]
[AttributeUsage(AttributeTargets.Method)]
public sealed class PlantedHangAttribute(
    [CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
    : FactAttribute(sourceFilePath, sourceLineNumber)
{
    internal const string Variable = "CONNTRACKSTREAM_PLANTED_HANGS";

    public sealed class Discoverer : FactDiscoverer
    {
        public override ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(
            ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute) =>
            Environment.GetEnvironmentVariable(Variable) is null
                ? new ValueTask<IReadOnlyCollection<IXunitTestCase>>([])
                : base.Discover(discoveryOptions, testMethod, factAttribute);
    }
}
