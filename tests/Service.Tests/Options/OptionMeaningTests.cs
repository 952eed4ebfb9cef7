using System.Text.RegularExpressions;
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

    [Fact]
    public void The_shipped_file_gives_the_documented_meaning()
    {
        Dictionary<string, string> shipped = Shipped();
        Assert.All(OptionCatalog.Of(new ServiceOptions()), key => Assert.Equal(Documented[key.Path], shipped[key.Path]));
    }

    [Fact]
    public void The_properties_give_the_documented_meaning() =>
        Assert.All(
            OptionCatalog.Of(new ServiceOptions()), static key => Assert.Equal(Documented[key.Path], OptionSummary.Of(key.Property)));

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

    [GeneratedRegex(@"^\| `(?<key>[A-Za-z0-9:]+)` \| (`[^`]*`)? ?\| ?.*? \| (?<meaning>.*) \|$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\([^)]*\.md\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();
}
