using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestFramework(typeof(ConntrackStream.Tests.GuardedTestFramework))]

namespace ConntrackStream.Tests;

/// <summary>xunit's own test framework with a <see cref="TestWatch"/> over each run.</summary>
public sealed class GuardedTestFramework : XunitTestFramework
{
    protected override ITestFrameworkExecutor CreateExecutor(Assembly assembly) =>
        new Executor(new XunitTestAssembly(assembly, configFileName: null, assembly.GetName().Version));

    private sealed class Executor(IXunitTestAssembly assembly) : XunitTestFrameworkExecutor(assembly)
    {
        public override async ValueTask RunTestCases(
            IReadOnlyCollection<IXunitTestCase> testCases, IMessageSink executionMessageSink,
            ITestFrameworkExecutionOptions executionOptions,
            CancellationToken cancellationToken)
        {
            TestWatch watch = new(executionMessageSink, testCases);
            await base.RunTestCases(testCases, watch, executionOptions, cancellationToken);
        }
    }
}
