using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ConntrackStream.Service.Tests;

/// <summary>THIRD-PARTY-NOTICES beside the executable, against the executable's list of libraries and the packages' own words.</summary>
public sealed partial class ThirdPartyNoticesTests
{
    private static readonly string Notices = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "THIRD-PARTY-NOTICES"));

    [Fact]
    public void Every_package_that_ships_has_its_notice_and_no_other_has()
    {
        string[] shipped = [.. Shipped().Select(static package => $"{package.Id} {package.Version}")];
        Assert.Contains(shipped, static package => package.StartsWith("Polly.Core ", StringComparison.Ordinal));
        string[] named = [.. Heading().Matches(Notices).Select(static heading => heading.Groups["name"].Value)];
        Assert.Equal(shipped.Concat(Vendored()).ToHashSet(StringComparer.Ordinal), named.ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public void A_library_of_the_page_has_the_licence_that_lies_beside_it()
    {
        string uplot = Assert.Single(Vendored());
        string licence = File.ReadAllText(
            Repository.PathOf("src", "ConntrackStream", "Page", "Assets", uplot.Replace(' ', '-'), "LICENSE"));
        int at = Notices.IndexOf(
            $"\n{uplot}\nLicence: MIT\nSource: https://github.com/leeoniya/uPlot\nCopyright ", StringComparison.Ordinal);
        Assert.True(at >= 0, "Run packaging/third-party-notices.");
        Assert.Contains(licence.Trim(), Notices[at..], StringComparison.Ordinal);
    }

    [Fact]
    public void A_notice_has_the_licence_and_copyright_that_the_package_states()
    {
        foreach ((string id, string version, string path) in Shipped())
        {
            string nuspec = Path.Combine(PackageFolder(), path, $"{id.ToLowerInvariant()}.nuspec");
            XElement metadata = XDocument.Load(nuspec).Root!.Elements().First();
            string Stated(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
            string start = $"\n{id} {version}\nLicence: {Stated("license")}\nSource: {Stated("projectUrl")}\n{Stated("copyright")}\n\n";
            int at = Notices.IndexOf(start, StringComparison.Ordinal);
            Assert.True(at >= 0, $"THIRD-PARTY-NOTICES lacks, or has otherwise:{start}Run packaging/third-party-notices.");
            string text = Notices[(at + start.Length)..].Split("\n-----")[0];
            Assert.True(text.Length > 500, $"{id}: no text of its licence");
        }
    }

    /// <summary>Libraries of the page, by their package.json: name and version.</summary>
    private static IEnumerable<string> Vendored()
    {
        string assets = Repository.PathOf("src", "ConntrackStream", "Page", "Assets");
        foreach (string file in Directory.EnumerateFiles(assets, "package.json", SearchOption.AllDirectories))
        {
            using JsonDocument package = Read(file);
            yield return $"{package.RootElement.GetProperty("name").GetString()} {package.RootElement.GetProperty("version").GetString()}";
        }
    }

    // As the runtime loads them: packages with at least one assembly.
    private static IEnumerable<(string Id, string Version, string Path)> Shipped()
    {
        using JsonDocument dependencies = Read(Path.Combine(AppContext.BaseDirectory, "conntrack-stream.deps.json"));
        JsonElement target = dependencies.RootElement.GetProperty("targets").EnumerateObject().Single().Value;
        foreach (JsonProperty library in dependencies.RootElement.GetProperty("libraries").EnumerateObject())
        {
            bool isPackage = library.Value.GetProperty("type").GetString() == "package";
            if (!isPackage || !target.GetProperty(library.Name).TryGetProperty("runtime", out _))
                continue;
            string[] name = library.Name.Split('/');
            yield return (name[0], name[1], library.Value.GetProperty("path").GetString()!);
        }
    }

    private static string PackageFolder()
    {
        using JsonDocument assets = Read(Repository.PathOf("src", "ConntrackStream", "obj", "project.assets.json"));
        return assets.RootElement.GetProperty("packageFolders").EnumerateObject().First().Name;
    }

    private static JsonDocument Read(string path) => JsonDocument.Parse(File.ReadAllText(path));

    [GeneratedRegex("\n(?<name>.+)\nLicence: ", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Heading();
}
