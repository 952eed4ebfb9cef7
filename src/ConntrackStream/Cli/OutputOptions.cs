using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Cli;

/// <summary><c>-o</c>: words with commas, as conntrack has it, and json.</summary>
internal sealed class OutputOptions
{
    private static readonly string[] Words = ["text", "json", "xml", "save", "extended", "id", "timestamp", "ktimestamp", "labels"];

    private static readonly string[] Forms = ["text", "json", "xml", "save"];

    private readonly Option<string[]> _output = new("--output", "-o")
    {
        Description = "text (as conntrack prints it, default), json (flow-log records), xml or save (lines for load-file), and for text "
            + "and xml any of extended, id, timestamp, ktimestamp, labels",
        HelpName = "TYPE[,…]",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = static result =>
        {
            string[] words = ReadWords(result, Words);
            string[] forms = [.. Forms.Intersect(words, StringComparer.Ordinal)];
            if (forms.Length > 1)
                result.AddError($"--output: {string.Join(" and ", forms)} exclude each other");
            return words;
        },
    };

    internal Option Option => _output;

    /// <summary>The words of <c>-o</c>, with commas or repeated; each that is not allowed is a fault.</summary>
    internal static string[] ReadWords(ArgumentResult result, IReadOnlyList<string> allowed)
    {
        string[] words = [.. result.Tokens.SelectMany(static token => token.Value.Split(',', StringSplitOptions.TrimEntries))];
        foreach (string wrong in words.Except(allowed, StringComparer.Ordinal))
            result.AddError($"--output: '{wrong}' is not a type of output; allowed are {string.Join(", ", allowed)}");
        return words;
    }

    /// <summary>A form that only the kernel's entries have.</summary>
    internal bool IsOfKernel(CommandResult result) =>
        result.GetValue(_output) is { } words && words.Any(static word => word is "xml" or "save");

    /// <summary>Reports on <paramref name="context"/> what will be left out.</summary>
    internal OutputFormat Read(ParseResult parsed, CliContext context)
    {
        HashSet<string> words = new(parsed.GetValue(_output) ?? [], StringComparer.Ordinal);
        if (words.Contains("labels") && !words.Contains("json") && !File.Exists(ConntrackLabels.DefaultPath))
            context.Tell(
                $"--output labels: {ConntrackLabels.DefaultPath} does not exist, so labels have no names and are left out, "
                + "as by conntrack");
        return new OutputFormat
        {
            Json = words.Contains("json"),
            Xml = words.Contains("xml"),
            Save = words.Contains("save"),
            IsText = words.Contains("text"),
            Extended = words.Contains("extended"),
            Id = words.Contains("id"),
            Timestamp = words.Contains("timestamp"),
            KernelTimestamps = words.Contains("ktimestamp"),
            Labels = words.Contains("labels"),
        };
    }
}
