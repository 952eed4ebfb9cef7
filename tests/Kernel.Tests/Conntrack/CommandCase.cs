namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>A command line, and its standard input.</summary>
internal sealed record CommandCase(string Text, string[] Words, string Input)
{
    /// <summary>It may change entries, so each of the two programs gets its own.</summary>
    internal bool Changes { get; } = Words.Any(static word => word is ['-', 'I' or 'A' or 'D' or 'U' or 'F' or 'R', ..])
        || Words.Contains("-z");

    /// <summary>All of Cases.txt, and the command line without a word.</summary>
    internal static IReadOnlyList<CommandCase> All { get; } = [Parse(""), .. Lines("Cases.txt").Select(Parse)];

    /// <summary>Those with labels, which need entries of their own.</summary>
    internal static IReadOnlyList<CommandCase> Labels { get; } = [.. Lines("LabelCases.txt").Select(Parse)];

    private static IEnumerable<string> Lines(string file) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Conntrack", file)).Where(static line => !line.StartsWith('#'));

    private static CommandCase Parse(string line)
    {
        string[] parts = line.Split(" <<< ");
        string input = parts.Length > 1
            ? parts[1].Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\t", "\t", StringComparison.Ordinal) : "";
        string[] words = [.. parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static word => word == "\"\"" ? "" : word)];
        return new CommandCase(line, words, input);
    }
}
