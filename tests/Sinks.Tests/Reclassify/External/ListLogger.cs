using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

internal sealed class ListLogger : ILogger
{
    internal ConcurrentQueue<(int Id, string Text)> Entries { get; } = new();

    /// <summary>Called on the thread that logs, with each entry's id.</summary>
    internal Action<int> OnEntry { get; set; } = static _ => { };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Entries.Enqueue((eventId.Id, formatter(state, exception)));
        OnEntry(eventId.Id);
    }
}
