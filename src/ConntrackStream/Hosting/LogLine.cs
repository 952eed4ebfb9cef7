using System.Globalization;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Hosting;

/// <summary>What both one-line formats share.</summary>
internal static class LogLine
{
    /// <summary>
    /// Event id and message, with an exception's words, kept to one line; a whole stack only for what nobody expected (Critical).
    /// </summary>
    internal static void WriteMessage<TState>(in LogEntry<TState> entry, TextWriter writer)
    {
        if (entry.EventId.Id != 0)
            writer.Write(string.Create(CultureInfo.InvariantCulture, $"{entry.EventId.Id} "));
        writer.Write(PrintableText.Escape(entry.Formatter(entry.State, entry.Exception)));
        if (entry.Exception is not null)
        {
            string exception = entry.LogLevel == LogLevel.Critical ? entry.Exception.ToString() : entry.Exception.Message;
            writer.Write(": " + PrintableText.Escape(exception));
        }

        writer.Write('\n');
    }
}
