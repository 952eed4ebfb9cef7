using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>A filter typed on the screen, in the options of the command line.</summary>
internal static class TopFilter
{
    internal static bool TryParse(string text, out FlowFilter filter, out string error)
    {
        FilterOptions options = new();
        Command command = new("filter");
        command.Add(options.All);
        ParseResult parsed = command.Parse([.. CommandLineParser.SplitCommandLine(text)], UsageFaults.Parser);
        error = string.Join("; ", UsageFaults.Of(parsed));
        filter = error.Length == 0 ? options.Read(parsed) : FlowFilter.All;
        return error.Length == 0;
    }
}
