using Microsoft.Extensions.Logging;

namespace ConntrackStream.Tests;

/// <summary>Keeps what is logged, from any thread.</summary>
/// <param name="least">The lowest level that is enabled.</param>
internal class RecordingLogger(LogLevel least = LogLevel.Trace) : ILogger
{
    private readonly List<(LogLevel Level, int Id, string Message)> _entries = [];

    /// <summary>What has come so far.</summary>
    internal List<(LogLevel Level, int Id, string Message)> Entries
    {
        get
        {
            lock (_entries)
                return [.. _entries];
        }
    }

    internal IEnumerable<int> Ids => Entries.Select(static entry => entry.Id);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        lock (_entries)
            _entries.Add((logLevel, eventId.Id, formatter(state, exception)));
    }

    /// <summary>What has come since the last call.</summary>
    internal IReadOnlyList<(LogLevel Level, int Id, string Message)> Take()
    {
        lock (_entries)
        {
            (LogLevel, int, string)[] taken = [.. _entries];
            _entries.Clear();
            return taken;
        }
    }
}

internal sealed class RecordingLogger<T> : RecordingLogger, ILogger<T>;
