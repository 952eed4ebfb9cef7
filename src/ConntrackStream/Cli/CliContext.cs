using System.Collections;
using System.Text;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Cli;

/// <summary>What a verb works with: records go to <see cref="Output"/>, everything else to <see cref="Error"/>.</summary>
internal sealed record CliContext
{
    internal required Stream Output { get; init; }

    internal required TextWriter Error { get; init; }

    /// <summary>Colours only there, and not with NO_COLOR.</summary>
    internal bool OutputIsTerminal { get; init; }

    internal bool ErrorIsTerminal { get; init; }

    /// <summary>The name that the program was called by; null when it is not known.</summary>
    internal string? CalledAs { get; init; }

    /// <summary>Standard input, opened by the verb that reads it.</summary>
    internal Func<Stream> OpenInput { get; init; } = Console.OpenStandardInput;

    internal IDictionary Environment { get; init; } = System.Environment.GetEnvironmentVariables();

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal static CliContext OfProcess()
    {
        bool colours = string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable("NO_COLOR"));
        return new CliContext
        {
            Output = new DescriptorStream(1),
            Error = Console.Error,
            OutputIsTerminal = colours && !Console.IsOutputRedirected,
            ErrorIsTerminal = colours && !Console.IsErrorRedirected,
            CalledAs = CalledName.Read(),
        };
    }

    /// <summary>A line on <see cref="Error"/> with the program's name in front.</summary>
    internal void Tell(string message) => Say($"conntrack-stream: {PrintableText.Escape(message)}");

    /// <summary>An error, red on a terminal.</summary>
    internal void Fail(string message)
    {
        string line = $"conntrack-stream: {PrintableText.Escape(message)}";
        Say(ErrorIsTerminal ? $"{Colour.Red}{line}{Colour.None}" : line);
    }

    /// <summary>An error of several lines about something, which may be anybody's text.</summary>
    internal void FailLines(string subject, string message)
    {
        string[] lines = message.Split('\n');
        Fail($"{subject}: {lines[0]}");
        foreach (string line in lines[1..])
            Fail(line);
    }

    /// <summary>
    /// For a verb that changes entries and prints each: standard output takes no more lines, so whoever asked must be told how far it came.
    /// </summary>
    internal int FailPartly(string done, IOException failure)
    {
        Fail($"{done}, the others were left as they are: {failure.Message}");
        return ExitCode.Failed;
    }

    /// <summary>
    /// Writes the words of an answer whose exit code says it, too: the code stands where the reader of standard output has gone.
    /// </summary>
    internal static void WriteForWhoReads(Action write)
    {
        try
        {
            write();
        }
        catch (BrokenPipeException)
        {
            // the rest of the words is not wanted
        }
    }

    /// <summary>A record for people, on <see cref="Output"/>.</summary>
    internal void Print(string line) => Output.Write(Encoding.UTF8.GetBytes(PrintableText.Escape(line) + "\n"));

    private void Say(string line)
    {
        try
        {
            Error.WriteLine(line);
        }
        catch (IOException)
        {
            // Standard error is full or gone: there is nobody to tell, and the exit code still says it.
        }
    }
}

/// <summary>ANSI colours (ECMA-48 SGR).</summary>
internal static class Colour
{
    internal const string None = "\e[0m", Red = "\e[31m", Green = "\e[32m", Yellow = "\e[33m";
}
