using System.Runtime.CompilerServices;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Prometheus itself scrapes the service, as docs/recipes.md sets it up.</summary>
public sealed class PrometheusServerTests : IDisposable
{
    private readonly KernelNamespace _space = new(); // its ports are free
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-prometheus-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Samples_histogram_and_rules_are_there()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson");
        _space.Start("socat", "TCP-LISTEN:9469,bind=127.0.0.1,fork,reuseaddr", $"UNIX-CONNECT:{_directory}/api.sock");
        string recipe = Path.Combine(Here(), "../../..", "docs", "recipes", "prometheus");
        File.Copy(Path.Combine(recipe, "rules.yml"), Path.Combine(_directory, "rules.yml"));
        string configuration = File.ReadAllText(Path.Combine(recipe, "prometheus.yml"));
        await File.WriteAllTextAsync(
            Path.Combine(_directory, "prometheus.yml"),
            "global: { evaluation_interval: 1s }\n"
                + configuration.Replace("scrape_interval: 15s", "scrape_interval: 1s", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        _space.Start(
            "prometheus", $"--config.file={_directory}/prometheus.yml", $"--storage.tsdb.path={_directory}/data",
            "--web.listen-address=127.0.0.1:9090", "--log.level=warn");
        _space.Exec("conntrack", "-I", "-p", "udp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", "1", "--dport", "53", "-t", "5000");

        await UntilAsync("conntrack_stream_flow_log_latency_seconds_count > bool 0", "=> 1 "); // its own connections are tracked, too
        await UntilAsync("sum(conntrack_stream_protocol_flows{protocol=\"udp\"})", "=> 1 ");
        await UntilAsync("conntrack_stream:kernel_table_fill:ratio > 0", "conntrack_stream:kernel_table_fill:ratio{");
        Assert.Contains("=> 1 ", Ask("up"), StringComparison.Ordinal);
        await UntilAsync("absent(ALERTS)", "=> 1 "); // that there is no target pends until the first scrape
    }

    private Task UntilAsync(string query, string answer) => Eventually.TrueAsync(
        () => Ask(query).Contains(answer, StringComparison.Ordinal), TimeSpan.FromSeconds(60), () => Ask(query), query);

    private string Ask(string query)
    {
        try
        {
            return _space.Exec("promtool", "query", "instant", "http://127.0.0.1:9090", query);
        }
        catch (ToolException e) // it does not listen yet
        {
            return e.Message;
        }
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
