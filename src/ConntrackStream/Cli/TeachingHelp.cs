using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;

namespace ConntrackStream.Service.Cli;

/// <summary>The library's help without what the verb has no use for, and the verb's examples below it.</summary>
internal sealed partial class TeachingHelp(HelpAction help, SharedOptions shared, string generalExamples) : SynchronousCommandLineAction
{
    private const int Widest = 50; // what is longer pushes its meaning to the right

    public override int Invoke(ParseResult parseResult)
    {
        shared.Configuration.Hidden = shared.Set.Hidden = parseResult.CommandResult.Command is Verb { HasConfiguration: false };
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using StringWriter text = new();
        parseResult.InvocationConfiguration.Output = text;
        int code = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(DefaultAgain().Replace(text.ToString(), "]"));
        if (parseResult.CommandResult.Command is Verb { Takes: { Count: > 0 } taken, Arguments: [var argument, ..] })
            Write(output, argument.Name, taken);
        output.WriteLine("Examples:");
        output.WriteLine(parseResult.CommandResult.Command is Verb verb ? verb.Examples : generalExamples);
        return code;
    }

    /// <summary>Behind a description that ends with the default in a user's words, the library names it in the program's.</summary>
    [GeneratedRegex(@"\]\s+\[default:[^\]]*\]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DefaultAgain();

    private static void Write(TextWriter output, string title, IReadOnlyList<TakenOption> options)
    {
        string[] spelled = [.. options.Select(static option =>
            $"  {string.Join(", ", option.Names)} {(option.ValueName is { } name ? $"<{name}>" : "")}")];
        int width = Math.Min(spelled.Max(static line => line.Length), Widest);
        output.WriteLine($"{title}:");
        foreach ((string line, TakenOption option) in spelled.Zip(options))
            output.WriteLine($"{line.PadRight(width)}  {option.Description}");
        output.WriteLine();
    }
}
