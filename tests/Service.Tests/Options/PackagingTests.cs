namespace ConntrackStream.Service.Tests.Options;

/// <summary>The samples in packaging/, and what the documents tell people to run.</summary>
public sealed class PackagingTests
{
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
}
