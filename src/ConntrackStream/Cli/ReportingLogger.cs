using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Cli;

/// <summary>For a verb: warnings and errors of a part of the service become lines on standard error.</summary>
internal sealed class ReportingLogger<T>(CliContext context) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            context.Fail(formatter(state, exception));
    }
}
