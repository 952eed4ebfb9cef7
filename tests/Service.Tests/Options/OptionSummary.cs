using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ConntrackStream.Service.Tests.Options;

/// <summary>The summary above an option's property, in the source.</summary>
internal static partial class OptionSummary
{
    private static readonly string[][] Sources =
    [
        .. Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(static path => path.EndsWith("Options.cs", StringComparison.Ordinal)
                || path.EndsWith("Settings.cs", StringComparison.Ordinal))
            .Select(File.ReadAllLines),
    ];

    /// <returns>Null: it has none.</returns>
    internal static string? Of(PropertyInfo property)
    {
        string type = property.DeclaringType!.Name;
        foreach (string[] lines in Sources)
        {
            int begin = Array.FindIndex(lines, line => $"{line} ".Contains($" class {type} ", StringComparison.Ordinal));
            int at = begin < 0
                ? -1
                : Array.FindIndex(lines, begin, line => line.Contains($" {property.Name} {{ get; set; }}", StringComparison.Ordinal));
            if (at >= 0)
                return Summary([.. lines[..at].Reverse().TakeWhile(static line => line.Trim() is not ("" or "{")).Reverse()]);
        }

        return null;
    }

    private static string? Summary(string[] above)
    {
        IEnumerable<string> comment = above.Where(IsComment).Select(static line => line.Trim()[3..]);
        string? summary = XElement.Parse($"<doc>{string.Join(' ', comment)}</doc>").Element("summary")?.Value;
        return summary is null ? null : Blanks().Replace(summary, " ").Trim();
    }

    private static bool IsComment(string line) => line.TrimStart().StartsWith("///", StringComparison.Ordinal);

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();
}
