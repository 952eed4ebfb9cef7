using System.CommandLine;
using System.CommandLine.Help;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Shell;

/// <summary>A command with those below it: what completions and manual page are written from.</summary>
/// <param name="Path">The words that lead to it, each with a slash before it; empty for the program itself.</param>
/// <param name="Options">Its own, those too that it reads itself, without those that every verb has.</param>
/// <param name="Shared">Those that all verbs have, without those that this one has no use for.</param>
internal sealed record CommandEntry(
    string Path, Command Command, IReadOnlyList<OptionEntry> Options, IReadOnlyList<OptionEntry> Shared,
    IReadOnlyList<CommandEntry> Subcommands)
{
    internal string Name => Command.Name;

    internal string Description => Command.Description ?? "";

    internal IReadOnlyList<Argument> Arguments => [.. Command.Arguments.Where(static argument => !argument.Hidden)];

    internal bool TakesFiles => Arguments.Any(static argument => ValueWords.IsFile(argument.Name));

    internal IEnumerable<OptionEntry> AllOptions => Options.Concat(Shared);

    /// <summary>The program, without what is hidden.</summary>
    internal static CommandEntry Of(RootCommand root)
    {
        OptionEntry[] help = [.. Visible(root).OfType<HelpOption>().Select(OptionEntry.Of)];
        IEnumerable<Option> configuration = Visible(root).Where(static option => option.Recursive && option is not HelpOption);
        return Of(root, "", help, [.. help, .. configuration.Select(OptionEntry.Of)]);
    }

    /// <summary>This one and all below it, in their order.</summary>
    internal IEnumerable<CommandEntry> All() => Subcommands.SelectMany(static command => command.All()).Prepend(this);

    private static CommandEntry Of(Command command, string path, OptionEntry[] help, OptionEntry[] all) => new(
        path,
        command,
        [
            .. Visible(command).Where(static option => !option.Recursive && option is not HelpOption).Select(OptionEntry.Of),
            .. (command as Verb)?.Takes.Select(OptionEntry.Of) ?? [],
        ],
        command is Verb { HasConfiguration: false } ? help : all,
        [.. command.Subcommands.Where(static below => !below.Hidden).Select(below => Of(below, $"{path}/{below.Name}", help, all))]);

    private static IEnumerable<Option> Visible(Command command) => command.Options.Where(static option => !option.Hidden);
}
