using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>
/// The rule file: one rule a line, comments from # to the line's end, empty lines. It decides over what root does, so it must be root's.
/// </summary>
internal static class StaticRuleFile
{
    private const long MaxLength = 16 << 20; // some 300,000 rules

    /// <summary>Reads all rules, or none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isPath">Whether there is a path of a name.</param>
    /// <param name="rules">In the file's order.</param>
    /// <param name="problem">The first thing wrong, with file and line, and the numbers of other wrong lines.</param>
    internal static bool TryRead(
        string path,
        Func<string, bool> isPath,
        [NotNullWhen(true)] out IReadOnlyList<StaticRule>? rules,
        [NotNullWhen(false)] out string? problem)
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
        string path,
        IEnumerable<string> lines,
        Func<string, bool> isPath,
        [NotNullWhen(true)] out IReadOnlyList<StaticRule>? rules,
        [NotNullWhen(false)] out string? problem)
    {
        List<StaticRule> read = [];
        List<int> wrong = []; // lines, besides the first such
        rules = null;
        problem = null;
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string text = comment < 0 ? line : line[..comment];
            if (string.IsNullOrWhiteSpace(text))
                continue;
            string origin = string.Create(CultureInfo.InvariantCulture, $"{path} line {number}");
            if (StaticRuleText.TryParse(text, origin, isPath, out StaticRule? rule, out string? fault))
                read.Add(rule);
            else if (problem is null)
                problem = $"{origin}: {fault}";
            else
                wrong.Add(number);
        }

        if (problem is not null)
        {
            problem += Others(wrong);
            return false;
        }

        rules = read;
        return true;
    }

    private static string Others(List<int> wrong)
    {
        const int MostNamed = 10;
        string named = string.Join(", ", wrong.Take(MostNamed));
        return wrong.Count switch
        {
            0 => "",
            1 => $" (line {named} is wrong, too)",
            <= MostNamed => $" (lines {named} are wrong, too)",
            _ => string.Create(CultureInfo.InvariantCulture, $" (lines {named} and {wrong.Count - MostNamed} more are wrong, too)"),
        };
    }
}
