using System.CommandLine;

namespace ConntrackStream.Service.Cli;

internal static class VerbExtensions
{
    internal static void Add(this Command command, IEnumerable<Option> options)
    {
        foreach (Option option in options)
            command.Options.Add(option);
    }
}
