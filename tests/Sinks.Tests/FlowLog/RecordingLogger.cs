using System.Collections.Concurrent;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Keeps the ids of what was logged.</summary>
internal sealed class RecordingLogger : ILogger<FlowLogSink>
{
    public ConcurrentQueue<int> Ids { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Ids.Enqueue(eventId.Id);
}
