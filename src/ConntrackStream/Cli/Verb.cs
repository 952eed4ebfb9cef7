using System.CommandLine;

namespace ConntrackStream.Service.Cli;

/// <summary>A verb of the command line, with examples that its help shows.</summary>
internal sealed class Verb : Command
{
    internal Verb(string name, string description, string examples)
        : base(name, description) => Examples = examples;

    internal string Examples { get; }
}
