using System.CommandLine;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Cli;

/// <summary><c>-o</c>: words with commas, as conntrack has it, and json.</summary>
internal sealed class OutputOptions
{
    private static readonly string[] Words = ["text", "json", "extended", "id", "timestamp", "ktimestamp", "labels"];

    private readonly Option<string[]> _output = new("--output", "-o")
    {
        Description = "text (as conntrack prints it, default) or json (flow-log records), and for text any of extended, id, timestamp, "
            + "ktimestamp, labels",
        HelpName = "TYPE[,…]",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = static result =>
        {
            string[] words = [.. result.Tokens.SelectMany(static token => token.Value.Split(',', StringSplitOptions.TrimEntries))];
            foreach (string wrong in words.Except(Words, StringComparer.Ordinal))
                result.AddError($"--output: '{wrong}' is not a type of output; allowed are {string.Join(", ", Words)}");
            if (words.Contains("text", StringComparer.Ordinal) && words.Contains("json", StringComparer.Ordinal))
                result.AddError("--output: text and json exclude each other");
            return words;
        },
    };

    internal Option Option => _output;

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
            IsText = words.Contains("text"),
            Extended = words.Contains("extended"),
            Id = words.Contains("id"),
            Timestamp = words.Contains("timestamp"),
            KernelTimestamps = words.Contains("ktimestamp"),
            Labels = words.Contains("labels"),
        };
    }
}
