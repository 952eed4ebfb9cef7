using System.Collections;
using System.Text.RegularExpressions;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Options;

/// <summary>Option classes, the shipped appsettings.json and docs/configuration.md tell the same keys and defaults.</summary>
public sealed partial class ShippedConfigurationTests
{
    private static readonly string ShippedFile = Repository.PathOf("appsettings.json");

    [Fact]
    public void The_shipped_file_has_every_key_and_no_other() =>
        Assert.Equal(
            OptionCatalog.Of(new ServiceOptions()).Select(static key => key.Path).Order(StringComparer.Ordinal),
            JsonFile.Read(ShippedFile).Select(static pair => ListIndex().Replace(pair.Key, "")).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal));

    [Fact]
    public void The_shipped_values_are_the_defaults()
    {
        ServiceOptions shipped = OptionsLoader.Load(new ConfigurationSources(ShippedFile) { Environment = new Hashtable() });
        Assert.Equal(
            OptionCatalog.Of(new ServiceOptions()).Select(static key => (key.Path, key.Text)),
            OptionCatalog.Of(shipped).Select(static key => (key.Path, key.Text)));
    }

    [Fact]
    public void Every_key_of_the_shipped_file_has_a_comment_above_it()
    {
        string[] lines = File.ReadAllLines(ShippedFile);
        for (int at = 1; at < lines.Length; at++)
        {
            if (lines[at].TrimStart().StartsWith('"'))
                Assert.True(
                    lines[at - 1].TrimStart().StartsWith("//", StringComparison.Ordinal), $"line {at + 1} has no comment: {lines[at]}");
        }
    }

    [Fact]
    public void The_documentation_has_every_key_with_its_default_and_no_other()
    {
        Dictionary<string, string> documented = File.ReadLines(Repository.PathOf("docs", "configuration.md"))
            .Select(static line => Row().Match(line)).Where(static match => match.Success)
            .ToDictionary(
                static match => match.Groups["key"].Value, static match => match.Groups["default"].Value.Trim('`'), StringComparer.Ordinal);
        IReadOnlyList<OptionKey> defaults = OptionCatalog.Of(new ServiceOptions());
        Assert.Equal(
            defaults.Select(static key => key.Path).Order(StringComparer.Ordinal), documented.Keys.Order(StringComparer.Ordinal));
        Assert.All(defaults, key => Assert.Equal(key.Text, Normalised(key, documented[key.Path])));
    }

    private static string Normalised(OptionKey key, string text) => key.ElementType is { } element
        ? string.Join(',', text.Split(',').Select(part => Normalised(element, key.Path, part)))
        : Normalised(key.Type, key.Path, text);

    private static string Normalised(Type type, string name, string text) =>
        OptionText.TryParse(type, name, text, out object? value) ? OptionText.Format(value) : text;

    [GeneratedRegex(@":\d+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ListIndex();

    [GeneratedRegex(@"^\| `(?<key>[A-Za-z0-9:]+)` \| (?<default>`[^`]*`)? ?\|", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();
}
