using System.CommandLine;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Shell;

/// <summary>An option as a shell sees it.</summary>
/// <param name="Names">With their dashes, the long ones first.</param>
/// <param name="ValueName">As the help has it; null for an option without a value.</param>
/// <param name="Repeats">May be given several times, or with several values joined by commas.</param>
internal sealed record OptionEntry(IReadOnlyList<string> Names, string? ValueName, string Description, bool Repeats)
{
    /// <summary>Words of this option alone, in the place of those that the value's name stands for.</summary>
    internal IReadOnlyList<string> Own { get; private init; } = [];

    internal bool TakesFile => ValueName is { } name && ValueWords.IsFile(name);

    internal bool TakesNamespace => Names.Contains("--netns", StringComparer.Ordinal);

    internal bool TakesSetting => Names.Contains("--set", StringComparer.Ordinal);

    /// <summary>What the value can be, as far as it is known.</summary>
    internal IReadOnlyList<string> Words => Own.Count > 0 ? Own
        : TakesSetting ? ValueWords.Settings
        : ValueName is { } name ? ValueWords.Of(name)
        : [];

    internal static OptionEntry Of(TakenOption option) => new(
        option.Names, option.ValueName, option.Description, option.ValueName?.EndsWith("[,…]", StringComparison.Ordinal) == true)
    {
        Own = option.Words,
    };

    internal static OptionEntry Of(Option option)
    {
        // -? asks the shell to expand it, and /h is a path here.
        IEnumerable<string> names = option.Aliases.Prepend(option.Name)
            .Where(static name => name.StartsWith('-') && name != "-?").Distinct(StringComparer.Ordinal);
        bool isSwitch = option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0;
        return new OptionEntry(
            [.. names.OrderByDescending(static name => name.StartsWith("--", StringComparison.Ordinal))],
            isSwitch ? null : option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant(),
            option.Description ?? "",
            option.Arity.MaximumNumberOfValues > 1 || option.HelpName?.EndsWith("[,…]", StringComparison.Ordinal) == true);
    }
}
