using System.CommandLine;
using System.CommandLine.Parsing;

namespace ConntrackStream.Service.Cli;

/// <summary>Wrong usage that the library lets pass: what would be dropped without a word.</summary>
internal static class UsageFaults
{
    /// <summary>No @file: it would print any file that this program may read, in an error about it.</summary>
    internal static ParserConfiguration Parser { get; } = new() { ResponseFileTokenReplacer = null };

    internal static IEnumerable<string> Of(ParseResult parsed, SharedOptions shared) =>
        Of(parsed).Concat(Unused(parsed, shared)).Distinct(StringComparer.Ordinal);

    /// <summary>What is wrong with the line itself. The library has words of its own for a repeated option, which are left out.</summary>
    internal static IEnumerable<string> Of(ParseResult parsed)
    {
        OptionResult[] repeated = [.. Repeated(parsed)];
        return parsed.Errors
            .Where(error => !repeated.Any(option => error.SymbolResult == option || error.SymbolResult?.Parent == option))
            .Select(static error => error.Message)
            .Concat(repeated.Select(static option =>
                $"{option.Option.Name}: given {option.IdentifierTokenCount} times; it takes one value"))
            .Concat(Empty(parsed))
            .Distinct(StringComparer.Ordinal);
    }

    /// <summary>
    /// An empty value is that of a variable which a script forgot to set. It names no file, and no other network namespace.
    /// </summary>
    private static IEnumerable<string> Empty(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is Verb { Takes.Count: > 0 }) // it reads its options itself
            return [];
        return Commands(parsed).SelectMany(static command => command.Children)
            .Where(given => given is not CommandResult && given.Tokens.Any(static token => token.Value.Length == 0)
                && parsed.Errors.All(error => error.SymbolResult != given))
            .Select(static given => given is OptionResult option ? option.Option.Name : ((ArgumentResult)given).Argument.Name)
            .Select(static name => $"{name}: is empty");
    }

    /// <summary>The verb, and those that it belongs to.</summary>
    private static IEnumerable<CommandResult> Commands(ParseResult parsed)
    {
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = command.Parent)
            yield return command;
    }

    /// <summary>Options for one value that are given several: only the last would count.</summary>
    private static IEnumerable<OptionResult> Repeated(ParseResult parsed) =>
        Commands(parsed).SelectMany(static command => command.Children).OfType<OptionResult>().Where(
            static option => option is { IdentifierTokenCount: > 1, Option: { Arity.MaximumNumberOfValues: 1 } one }
                && one.ValueType != typeof(bool));

    private static IEnumerable<string> Unused(ParseResult parsed, SharedOptions shared)
    {
        if (parsed.CommandResult.Command is not Verb verb || verb.UsesConfiguration(parsed))
            yield break;
        string exception = verb.Options.Contains(shared.Live) ? ", except for --live without --socket" : "";
        foreach (Option option in (Option[])[shared.Configuration, shared.Set])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                yield return $"{option.Name}: {verb.Name} reads no configuration{exception}";
        }
    }
}
