using System.CommandLine;

namespace ConntrackStream.Service.Cli;

/// <summary><c>-o</c> of verbs that know text and json only.</summary>
internal sealed class FormatOption(string description = "text (default) or json, one object a line")
{
    private static readonly string[] Words = ["text", "json"];

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = description,
        HelpName = "TYPE",
        CustomParser = static result =>
        {
            string word = result.Tokens[0].Value;
            if (!Words.Contains(word, StringComparer.Ordinal))
                result.AddError($"--output: '{word}' is not a type of output; allowed are {string.Join(", ", Words)}");
            return word;
        },
    };

    internal Option Option => _output;

    internal bool IsJson(ParseResult parsed) => parsed.GetValue(_output) == "json";
}
