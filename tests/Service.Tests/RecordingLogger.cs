using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Tests;

/// <summary>Keeps what is logged.</summary>
internal class RecordingLogger : ILogger
{
    internal List<(LogLevel Level, int Id, string Message)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Add((logLevel, eventId.Id, formatter(state, exception)));

    /// <summary>What came since the last call.</summary>
    internal IReadOnlyList<(LogLevel Level, int Id, string Message)> Take()
    {
        (LogLevel, int, string)[] taken = [.. Entries];
        Entries.Clear();
        return taken;
    }
}

internal sealed class RecordingLogger<T> : RecordingLogger, ILogger<T>;
