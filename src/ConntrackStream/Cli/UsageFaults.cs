using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Cli;

/// <summary>Wrong usage that the library lets pass: what would be dropped without a word.</summary>
internal static class UsageFaults
{
    /// <summary>No @file: it would print any file that this program may read, in an error about it.</summary>
    internal static ParserConfiguration Parser { get; } = new() { ResponseFileTokenReplacer = null };

    internal static IEnumerable<string> Of(ParseResult parsed, SharedOptions shared) =>
        Of(parsed).Concat(Unused(parsed, shared)).Distinct(StringComparer.Ordinal);

    /// <summary>
    /// What is wrong with the line itself. The library has words of its own for a repeated option and for a word that it does not know,
    /// which are left out.
    /// </summary>
    internal static IEnumerable<string> Of(ParseResult parsed)
    {
        if (parsed is { CommandResult.Command.Subcommands.Count: > 0, UnmatchedTokens: [var verb, ..] })
            return [UnknownVerb(verb, parsed.CommandResult)]; // what follows belongs to it
        OptionResult[] repeated = [.. Repeated(parsed)];
        // TreatUnmatchedTokensAsErrors would keep these out, but then the library's help offers "additional arguments".
        HashSet<string> unknown = [.. parsed.UnmatchedTokens.Select(static word => $"Unrecognized command or argument '{word}'.")];
        return parsed.Errors
            .Where(error => !repeated.Any(option => error.SymbolResult == option || error.SymbolResult?.Parent == option))
            .Select(static error => error.Message)
            .Where(message => !unknown.Contains(message))
            .Concat(UnknownWords(parsed))
            .Concat(TakenOptions(parsed))
            .Concat(repeated.Select(static option =>
                $"{option.Option.Name}: given {option.IdentifierTokenCount} times; it takes one value"))
            .Concat(Empty(parsed))
            .Distinct(StringComparer.Ordinal);
    }

    private static string UnknownVerb(string word, CommandResult group)
    {
        if (!word.StartsWith('-'))
        {
            IEnumerable<string> verbs = group.Command.Subcommands.Where(static verb => !verb.Hidden).Select(static verb => verb.Name);
            return $"'{word}': there is no such verb{DidYouMean(word, verbs)}";
        }

        return DidYouMean(word, Options(group)) is { Length: > 0 } hint
            ? $"'{word}': there is no such option{hint}"
            : $"'{word}': there is no such option; conntrack's own options stand behind its name: conntrack-stream conntrack {word}";
    }

    /// <summary>A word behind an unknown option may be its value, and is not named.</summary>
    private static IEnumerable<string> UnknownWords(ParseResult parsed)
    {
        string verb = parsed.CommandResult.Command.Name;
        bool isBehindOption = false;
        foreach (string word in parsed.UnmatchedTokens)
        {
            bool isOption = word.StartsWith('-');
            if (isOption)
                yield return NoSuchOption(word, parsed.CommandResult);
            else if (!isBehindOption)
                yield return $"'{word}': {verb} takes no such argument";
            isBehindOption = isOption;
        }
    }

    /// <summary>
    /// An argument that takes any word takes a mistyped option, too. A file whose name begins with a hyphen stands behind <c>--</c>, or is
    /// written <c>./-x</c>.
    /// </summary>
    private static IEnumerable<string> TakenOptions(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is Verb { Takes.Count: > 0 })
            return [];
        if (parsed.Tokens.Any(static token => token.Type == TokenType.DoubleDash))
            return [];
        return parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(static argument => argument.Tokens)
            .Select(static token => token.Value).Where(static word => word.Length > 1 && word[0] == '-')
            .Select(word => NoSuchOption(word, parsed.CommandResult));
    }

    private static string NoSuchOption(string word, CommandResult verb) =>
        $"'{word}': {verb.Command.Name} has no such option{DidYouMean(word, Options(verb))}";

    private static string DidYouMean(string word, IEnumerable<string> names) =>
        EditDistance.Nearest(word, names) is { } nearest ? $"; did you mean {nearest}?" : "";

    private static IEnumerable<string> Options(CommandResult command) => Commands(command).SelectMany(static one => one.Command.Options)
        .Where(static option => !option.Hidden).SelectMany(static option => option.Aliases.Prepend(option.Name));

    /// <summary>
    /// An empty value is that of a variable which a script forgot to set. It names no file, and no other network namespace.
    /// </summary>
    private static IEnumerable<string> Empty(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is Verb { Takes.Count: > 0 }) // it reads its options itself
            return [];
        return Commands(parsed.CommandResult).SelectMany(static command => command.Children)
            .Where(given => given is not CommandResult && given.Tokens.Any(static token => token.Value.Length == 0)
                && parsed.Errors.All(error => error.SymbolResult != given))
            .Select(static given => given is OptionResult option ? option.Option.Name : ((ArgumentResult)given).Argument.Name)
            .Select(static name => $"{name}: is empty");
    }

    /// <summary>The verb, and those that it belongs to.</summary>
    private static IEnumerable<CommandResult> Commands(CommandResult verb)
    {
        for (SymbolResult? at = verb; at is CommandResult command; at = command.Parent)
            yield return command;
    }

    /// <summary>Options for one value that are given several: only the last would count.</summary>
    private static IEnumerable<OptionResult> Repeated(ParseResult parsed) =>
        Commands(parsed.CommandResult).SelectMany(static command => command.Children).OfType<OptionResult>().Where(
            static option => option is { IdentifierTokenCount: > 1, Option: { Arity.MaximumNumberOfValues: 1 } one }
                && one.ValueType != typeof(bool));

    private static IEnumerable<string> Unused(ParseResult parsed, SharedOptions shared)
    {
        if (parsed.CommandResult.Command is not Verb verb || verb.UsesConfiguration?.Invoke(parsed) == true)
            yield break;
        string exception = verb.Options.Contains(shared.Live) ? ", except for --live without --socket" : "";
        foreach (Option option in (Option[])[shared.Configuration, shared.Set])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                yield return $"{option.Name}: {verb.Name} reads no configuration{exception}";
        }
    }
}
