using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>The rule file: one rule a line, comments from # to the line's end, empty lines. It decides over what root does, so it must be root's.</summary>
internal static class StaticRuleFile
{
    private const long MaxLength = 16 << 20; // some 300,000 rules

    /// <summary>Reads all rules, or none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isPath">Whether there is a path of a name.</param>
    /// <param name="rules">In the file's order.</param>
    /// <param name="problem">The first thing wrong, with file and line.</param>
    internal static bool TryRead(
        string path, Func<string, bool> isPath, [NotNullWhen(true)] out IReadOnlyList<StaticRule>? rules, [NotNullWhen(false)] out string? problem)
    {
        rules = null;
        if (RootOwned.Problem(path) is { } unsafeFile)
        {
            problem = $"{path} {unsafeFile}";
            return false;
        }

        try
        {
            if (new FileInfo(path).Length <= MaxLength)
                return TryParse(path, File.ReadLines(path), isPath, out rules, out problem);
            problem = $"{path} is larger than {MaxLength >> 20} MiB";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be read: {e.Message}";
        }

        return false;
    }

    private static bool TryParse(
        string path, IEnumerable<string> lines, Func<string, bool> isPath, [NotNullWhen(true)] out IReadOnlyList<StaticRule>? rules, [NotNullWhen(false)] out string? problem)
    {
        List<StaticRule> read = [];
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string text = comment < 0 ? line : line[..comment];
            if (string.IsNullOrWhiteSpace(text))
                continue;
            string origin = string.Create(CultureInfo.InvariantCulture, $"{path} line {number}");
            if (!StaticRuleText.TryParse(text, origin, isPath, out StaticRule? rule, out problem))
            {
                problem = $"{origin}: {problem}";
                rules = null;
                return false;
            }

            read.Add(rule);
        }

        rules = read;
        problem = null;
        return true;
    }
}
