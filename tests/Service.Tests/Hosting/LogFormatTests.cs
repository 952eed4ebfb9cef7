using System.Collections;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class LogFormatTests
{
    [Fact]
    public void A_line_has_time_level_id_and_message() =>
        Assert.Equal(
            "2026-01-01T00:00:00.000Z warn 4017 the message\n",
            Format(new LineFormatter(new VirtualTime()), LogLevel.Warning, "the message"));

    [Theory]
    [InlineData(LogLevel.Critical, "<2>")]
    [InlineData(LogLevel.Error, "<3>")]
    [InlineData(LogLevel.Warning, "<4>")]
    [InlineData(LogLevel.Information, "<6>")]
    [InlineData(LogLevel.Debug, "<7>")]
    public void Journald_gets_the_priority(LogLevel level, string priority) =>
        Assert.Equal($"{priority}4017 x\n", Format(new JournaldFormatter(), level, "x"));

    [Fact]
    public void A_message_cannot_forge_a_line() =>
        Assert.Equal("<4>4017 a\\n<2>b\n", Format(new JournaldFormatter(), LogLevel.Warning, "a\n<2>b"));

    [Theory]
    [InlineData("\e[2J", "\\x1b[2J")]
    [InlineData("a\r\nb", "a\\r\\nb")]
    [InlineData("\u0085\u2028\u009b\x7f", "\\x85\\u2028\\x9b\\x7f")]
    [InlineData("größer → 流", "größer → 流")]
    public void A_message_cannot_steer_a_terminal(string message, string written)
    {
        Assert.Equal($"<4>4017 {written}\n", Format(new JournaldFormatter(), LogLevel.Warning, message));
        string line = Format(new LineFormatter(new VirtualTime()), LogLevel.Warning, "x", new IOException(message));
        Assert.EndsWith($" warn 4017 x: {written}\n", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exception_is_told_in_its_words() =>
        Assert.Equal(
            "<3>4017 failed: disk full\n", Format(new JournaldFormatter(), LogLevel.Error, "failed", new IOException("disk full")));

    [Theory]
    [InlineData(LogFormat.Auto, null, "line")]
    [InlineData(LogFormat.Auto, "8:1234", "journald")]
    [InlineData(LogFormat.Line, "8:1234", "line")]
    [InlineData(LogFormat.Journald, null, "journald")]
    [InlineData(LogFormat.Json, "8:1234", "json")]
    public void The_journal_is_recognised(LogFormat format, string? stream, string name)
    {
        Hashtable environment = [];
        if (stream is not null)
            environment["JOURNAL_STREAM"] = stream;
        Assert.Equal(name, ServiceLogging.FormatterName(format, environment));
    }

    private static string Format(ConsoleFormatter formatter, LogLevel level, string message, Exception? exception = null)
    {
        StringWriter writer = new();
        formatter.Write(
            new LogEntry<string>(level, "category", new EventId(4017), message, exception, static (state, _) => state),
            scopeProvider: null,
            writer);
        return writer.ToString();
    }
}
