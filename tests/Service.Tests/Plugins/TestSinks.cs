using ConntrackStream.Pipeline.Changes;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Tests.Plugins;

/// <summary>Does nothing; this assembly, copied, is a plug-in with several sinks.</summary>
public abstract class TestSink(string name) : IFlowSink
{
    public string Name => name;

    public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

public sealed class PlainTestSink() : TestSink("plain");

public sealed class LoggingTestSink(ILogger logger) : TestSink(logger.IsEnabled(LogLevel.Trace) ? "logging" : "silent");

public sealed class FailingTestSink : TestSink
{
    public FailingTestSink()
        : base("failing") => throw new InvalidOperationException("no licence found");
}

public sealed class DemandingTestSink(string file) : TestSink(file);
