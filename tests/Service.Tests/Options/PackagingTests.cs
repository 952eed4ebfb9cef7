using System.Collections;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Service.Tests.Options;

/// <summary>What lies in packaging/, and what the documents say to run.</summary>
public sealed partial class PackagingTests
{
    [Theory]
    [InlineData("appsettings.json")]
    [InlineData("kubernetes/base/appsettings.json")]
    public void The_configurations_of_packages_are_valid(string file)
    {
        ServiceOptions packaged = OptionsLoader.Load(
            new ConfigurationSources(Repository.PathOf("packaging", file)) { Environment = new Hashtable() });
        Assert.Equal("/var/log/conntrack-stream/flows.json", packaged.Modules.Of<FlowLogOptions>().Path);
    }

    [Fact]
    public void Each_setting_in_the_environment_of_a_package_exists()
    {
        string[] known = [.. OptionCatalog.Of(new ServiceOptions()).Select(static key => key.Path)];
        string[] named =
        [
            .. Directory.GetFiles(Repository.PathOf("packaging"), "*.*", SearchOption.AllDirectories)
                .SelectMany(static file => Variable().Matches(File.ReadAllText(file)))
                .Select(static match => match.Groups["key"].Value.Replace("__", ":", StringComparison.Ordinal)),
        ];
        Assert.Contains("Map:Mode", named, StringComparer.Ordinal);
        Assert.All(named, name => Assert.Contains(name, known, StringComparer.Ordinal));
    }

    [Fact]
    public void The_package_has_the_version_of_the_program()
    {
        string version = XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.StartsWith(
            $"conntrack-stream ({version}) ", File.ReadAllText(Repository.PathOf("packaging", "debian", "changelog")),
            StringComparison.Ordinal);
        Assert.Contains(
            $"newTag: {version}\n", File.ReadAllText(Repository.PathOf("packaging", "kubernetes", "base", "kustomization.yaml")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_unit_names_each_drop_in_and_no_other()
    {
        string unit = File.ReadAllText(Repository.PathOf("packaging", "conntrack-stream.service"));
        Assert.Equal(
            Directory.GetFiles(Repository.PathOf("packaging"), "conntrack-stream-*.conf").Select(Path.GetFileName)
                .Order(StringComparer.Ordinal),
            DropIn().Matches(unit).Select(static match => match.Value).Order(StringComparer.Ordinal));
    }

    /// <summary><c>systemctl kill</c> signals the whole control group, the external classifier too.</summary>
    [Fact]
    public void A_reload_signals_the_main_process_alone()
    {
        Assert.Contains(
            "ExecReload=/bin/kill -HUP $MAINPID",
            File.ReadAllLines(Repository.PathOf("packaging", "conntrack-stream.service")),
            StringComparer.Ordinal);
        Assert.Contains(
            Commands(Repository.PathOf("packaging", "conntrack-stream.logrotate")),
            static line => line.Contains("systemctl reload", StringComparison.Ordinal));
        string[] files =
        [
            .. Directory.GetFiles(Repository.PathOf("packaging")), .. Directory.GetFiles(Repository.PathOf("docs")),
            Repository.PathOf("README.md"),
        ];
        Assert.All(
            files,
            static file => Assert.DoesNotContain(Commands(file), static line => line.Contains("systemctl kill", StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Commands(string file) =>
        File.ReadLines(file).Where(static line => !line.TrimStart().StartsWith('#'));

    [GeneratedRegex("CONNTRACKSTREAM__(?<key>[A-Za-z_]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Variable();

    [GeneratedRegex(@"conntrack-stream-[a-z-]+\.conf", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DropIn();
}
