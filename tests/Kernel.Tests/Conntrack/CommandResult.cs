using System.Text.RegularExpressions;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>What a command line gave, without what differs from one run to the next: times, ids, references and statistics.</summary>
internal sealed partial record CommandResult(int ExitCode, string Output, string Error, string Table)
{
    /// <summary>Lines in any order: the table is shown in that of its hash.</summary>
    internal static CommandResult Of(int exitCode, string output, string error, string table) =>
        new(exitCode, Normal(output), Normal(error), Normal(table));

    private static string Normal(string text) => string.Join('\n', Varying()
        .Replace(text, static match => match.Groups["kept"].Value + "…").Split('\n').Order(StringComparer.Ordinal));

    [GeneratedRegex(
        """
        (?<kept>^(?:ipv[46][ ]+\d+[ ])?[a-z0-9]+[ ]+\d+[ ])\d+(?=[ ])
        | (?<kept>\b(?:id|use|delta-time)=)\d+
        | (?<kept><(?:timeout|id|use|deltatime|start)>)\d+
        | (?<kept>\[start=)[^]]*
        | (?<kept>-t[ ])\d+
        | (?<kept>^cpu=\d+\s+\w+=).*$
        """,
        RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.IgnorePatternWhitespace,
        5000)]
    private static partial Regex Varying();
}
