using System.Net;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Tests.Plugins;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Sinks.Tests.Kafka;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>A node with real flows, librdkafka's brokers and a collector; the plug-in as it is built, loaded by the program.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class KafkaTests
{
    private const string Host = "node-1.example.net";

    [Fact]
    public async Task Real_flows_go_through_the_plug_in_to_a_topic_and_from_there_to_a_file()
    {
        using PluginFiles files = new();
        string plugin = files.Project("Kafka", "ConntrackStream.Kafka");
        using TemporaryDirectory directory = new();
        using MockKafka kafka = new(brokers: 3);
        string[] settings =
            ["--set", $"Plugins:Sinks={plugin}", "--set", $"Plugins:Kafka:Brokers={string.Join(',', kafka.Brokers)}"];
        string[] collect = ["collect", "--directory", directory.Path, "--from", "kafka", "--once", .. settings];
        if (ServiceProcess.IsNative)
        {
            foreach (string[] verb in (string[][])[["run", .. settings], collect])
            {
                (int code, _, string error) = await ServiceProcess.RunAsync(verb);
                Assert.Equal(2, code); // RestartPreventExitStatus
                Assert.Contains($"Plugins:Sinks: \"{plugin}\" is a .NET assembly, which this native build cannot load", error);
            }

            return;
        }

        (int doctorCode, string doctor, _) = await ServiceProcess.RunAsync(["doctor", .. settings]);
        Assert.True(doctor.Contains("topic conntrack of broker", StringComparison.Ordinal), $"{doctorCode}: {doctor}");
        using KernelNamespace space = new();
        Generator flows = new(space);
        using (ServiceProcess service = await ServiceProcess.StartAsync(
            space.Name, directory.Path, ["--set", $"FlowLog:Path={directory.File("flows.ndjson")}", "--set", $"FlowLog:Host={Host}",
                "--set", "Plugins:Kafka:Spool:KeepFreeBytes=0", .. settings]))
        {
            Make(flows, from: 20_000, count: 300);
            kafka.Down();
            Make(flows, from: 21_000, count: 200); // into the spool
            kafka.Up();
            await Eventually.TrueAsync(() => IsSentAsync(directory, records: 500), TimeSpan.FromMinutes(1));
            (_, string metrics, _) = await ServiceProcess.RunAsAsync(
                "curl", "-s", "--unix-socket", directory.File("api.sock"), "http://localhost/metrics");
            Assert.Contains("conntrack_stream_kafka_connected 1", metrics);
            service.Signal("HUP");
            await service.WaitForLogAsync("The files of Plugins:Kafka:* are read again");
            service.Signal("TERM");
            Assert.Equal(0, await service.WaitForExitAsync());
        }

        (int collected, _, string said) = await ServiceProcess.RunAsync([.. collect, "--set", $"FlowLog:Host={Host}"]);
        Assert.True(collected == 0, said);
        Assert.Contains(" 0 records missing, 0 messages not understood", said);
        JsonElement[] records = Records(directory.File($"{Host}.ndjson")), log = Records(directory.File("flows.ndjson"));
        Assert.Equal(Enumerable.Range(1, records.Length), records.Select(static record => record.GetProperty("seq").GetInt32()));
        Assert.Equal(
            log.Where(IsFlow).Select(Key).Order(StringComparer.Ordinal), records.Where(IsFlow).Select(Key).Order(StringComparer.Ordinal));
        Assert.True(records.Count(IsFlow) >= 500);
    }

    private static async Task<bool> IsSentAsync(TemporaryDirectory directory, long records)
    {
        (_, string output, _) = await ServiceProcess.RunAsync("stats", "--live", "--socket", directory.File("api.sock"));
        JsonElement kafka = JsonElement.Parse(output).GetProperty("kafka");
        Assert.Equal("conntrack", kafka.GetProperty("topic").GetString());
        return kafka.GetProperty("records").GetInt64() >= records && kafka.GetProperty("in_flight_messages").GetInt64() == 0;
    }

    /// <summary>From ports of their own: each is a flow of its own.</summary>
    private static void Make(Generator flows, int from, int count)
    {
        for (int port = from; port < from + count; port++)
            flows.Udp(IPAddress.Loopback, 9, sourcePort: (ushort)port);
    }

    private static JsonElement[] Records(string path) =>
        [.. File.ReadLines(path).Select(static line => JsonElement.Parse(line))];

    private static bool IsFlow(JsonElement record) => !record.GetProperty("event").ValueEquals("gap");

    private static string Key(JsonElement record) =>
        $"{record.GetProperty("flow_id").GetString()} {record.GetProperty("event").GetString()}";
}
