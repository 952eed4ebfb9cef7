using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What code under test has logged, as text.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    internal string[] All
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Lines that begin with that word, about that flow, and have that text.</summary>
    internal int Count(string word, in FlowTuple flow, string text = "")
    {
        string begin = $"{word} {TupleText.Describe(flow)}";
        return All.Count(line => line.StartsWith(begin, StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>Whether a line is about that flow.</summary>
    internal bool Mentions(in FlowTuple flow)
    {
        string text = TupleText.Describe(flow);
        return All.Any(line => line.Contains(text, StringComparison.Ordinal));
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add(formatter(state, exception));
    }

    public void Dispose()
    {
    }
}
