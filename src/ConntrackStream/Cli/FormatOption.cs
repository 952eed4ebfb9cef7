using System.CommandLine;

namespace ConntrackStream.Service.Cli;

/// <summary><c>-o</c> of verbs that know text and json only.</summary>
internal static class FormatOption
{
    private static readonly string[] Words = ["text", "json"];

    /// <summary>True for json.</summary>
    internal static Option<bool> Create() => new("--output", "-o")
    {
        Description = "text (default) or json, one object a line",
        HelpName = "TYPE",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = static result =>
        {
            string word = result.Tokens[0].Value;
            if (!Words.Contains(word, StringComparer.Ordinal))
                result.AddError($"--output: '{word}' is not a type of output; allowed are {string.Join(", ", Words)}");
            return word == "json";
        },
    };
}
