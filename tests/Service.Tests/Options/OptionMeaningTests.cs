using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Options;

/// <summary>
/// A key has one meaning: docs/configuration.md, the comment above it in appsettings.json and the summary of its property give it in the
/// same words.
/// </summary>
public sealed partial class OptionMeaningTests
{
    private static readonly Dictionary<string, string> Documented = File.ReadLines(Repository.PathOf("docs", "configuration.md"))
        .Select(static line => Row().Match(line)).Where(static match => match.Success)
        .ToDictionary(
            static match => match.Groups["key"].Value,
            static match => Link().Replace(match.Groups["meaning"].Value, "${text}").Replace("`", "", StringComparison.Ordinal),
            StringComparer.Ordinal);

    private static readonly string[][] Sources =
    [
        .. Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(static path => path.EndsWith("Options.cs", StringComparison.Ordinal)
                || path.EndsWith("Settings.cs", StringComparison.Ordinal))
            .Select(File.ReadAllLines),
    ];

    [Fact]
    public void The_shipped_file_gives_the_documented_meaning()
    {
        Dictionary<string, string> shipped = Shipped();
        Assert.All(OptionCatalog.Of(new ServiceOptions()), key => Assert.Equal(Documented[key.Path], shipped[key.Path]));
    }

    [Fact]
    public void The_properties_give_the_documented_meaning() =>
        Assert.All(
            OptionCatalog.Of(new ServiceOptions()), static key => Assert.Equal(Documented[key.Path], SummaryOf(key.Property)));

    /// <summary>The comment above each key.</summary>
    private static Dictionary<string, string> Shipped()
    {
        Dictionary<string, string> meanings = new(StringComparer.Ordinal);
        List<string> sections = [], comment = [];
        foreach (string line in File.ReadLines(Repository.PathOf("appsettings.json")).Select(static line => line.Trim()))
        {
            if (line.StartsWith("//", StringComparison.Ordinal))
            {
                comment.Add(line[2..].Trim());
                continue;
            }

            if (line.StartsWith('"'))
            {
                string name = line[1..line.IndexOf('"', 1)];
                meanings[string.Join(':', [.. sections, name])] = string.Join(' ', comment);
                if (line.EndsWith('{'))
                    sections.Add(name);
            }
            else if (line.StartsWith('}') && sections.Count > 0)
            {
                sections.RemoveAt(sections.Count - 1);
            }

            comment.Clear();
        }

        return meanings;
    }

    private static string? SummaryOf(PropertyInfo property)
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

    [GeneratedRegex(@"^\| `(?<key>[A-Za-z0-9:]+)` \| (`[^`]*`)? ?\| ?.*? \| (?<meaning>.*) \|$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\([^)]*\.md\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();
}
