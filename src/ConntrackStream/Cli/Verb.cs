using System.CommandLine;

namespace ConntrackStream.Service.Cli;

/// <summary>A verb of the command line, with examples that its help shows.</summary>
internal sealed class Verb : Command
{
    internal Verb(string name, string description, string examples)
        : base(name, description) => Examples = examples;

    internal string Examples { get; }

    /// <summary>Options that it reads itself, for help, completions and manual page.</summary>
    internal IReadOnlyList<TakenOption> Takes { get; init; } = [];

    /// <summary>Whether --config and --set mean something, given the other options; null: never.</summary>
    internal Func<ParseResult, bool>? UsesConfiguration { get; init; }

    /// <summary>It, or one below it, reads the configuration.</summary>
    internal bool HasConfiguration => UsesConfiguration is not null || Subcommands.Count > 0;
}
