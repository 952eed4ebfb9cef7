using System.Globalization;
using System.Net;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Sinks.Tests.Nats;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>A node with real flows, a real nats-server and a collector, each the program as it ships.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class FleetTests
{
    private const string Host = "node-1.example.net";

    [Fact]
    public async Task A_service_killed_between_flows_loses_nothing_outside_the_gap_of_its_restart()
    {
        using KernelNamespace space = new();
        using TemporaryDirectory directory = new();
        await using NatsServer server = await NatsServer.StartAsync();
        Assert.Equal(0, (await CollectAsync(server, directory)).Code); // makes the stream
        Generator flows = new(space);
        using (ServiceProcess service = await StartAsync(space, server, directory))
        {
            Make(flows, 400);
            service.Signal("KILL");
            await service.WaitForExitAsync();
        }

        Make(flows, 10); // which no process sees: the next start finds them
        await server.KillAsync();
        using (ServiceProcess service = await StartAsync(space, server, directory))
        {
            Make(flows, 200); // into the spool
            await server.StartAsync();
            Make(flows, 50);
            await Eventually.TrueAsync(() => IsSentAsync(directory, records: 261), TimeSpan.FromMinutes(1)); // with the gap
            service.Signal("TERM");
            Assert.Equal(0, await service.WaitForExitAsync());
        }

        (int code, _, string error) = await CollectAsync(server, directory);
        Assert.True(code == 0, error);
        Assert.Contains(" 0 records missing, 0 messages not understood", error);
        JsonElement[] collected = Records(directory.File($"{Host}.ndjson")), log = Records(directory.File("flows.ndjson"));
        AssertComplete(collected);
        JsonElement restart = collected.First(
            static record => record.TryGetProperty("reason", out JsonElement reason) && reason.ValueEquals("restart"));
        DateTimeOffset from = restart.GetProperty("from").GetDateTimeOffset(), to = restart.GetProperty("to").GetDateTimeOffset();
        HashSet<string> sent = new(collected.Where(IsStart).Select(Key), StringComparer.Ordinal);
        JsonElement[] unsent = [.. log.Where(IsStart).Where(record => !sent.Contains(Key(record)))];
        Assert.All(unsent, record => Assert.InRange(record.GetProperty("time").GetDateTimeOffset(), from, to));
        Assert.True(sent.Count >= 600, $"{sent.Count} starts, {unsent.Length} of the log not sent");
    }

    /// <summary>So many records of this start are acknowledged, at least, and none waits.</summary>
    private static async Task<bool> IsSentAsync(TemporaryDirectory directory, long records)
    {
        (_, string output, _) = await ServiceProcess.RunAsync("stats", "--live", "--socket", directory.File("api.sock"));
        JsonElement nats = JsonElement.Parse(output).GetProperty("nats");
        return nats.GetProperty("records").GetInt64() >= records && nats.GetProperty("in_flight_messages").GetInt64() == 0
            && nats.GetProperty("memory_bytes").GetInt64() == 0;
    }

    private static Task<ServiceProcess> StartAsync(KernelNamespace space, NatsServer server, TemporaryDirectory directory) =>
        ServiceProcess.StartAsync(
            space.Name, directory.Path, "--set", $"FlowLog:Path={directory.File("flows.ndjson")}", "--set", $"FlowLog:Host={Host}",
            "--set", "Nats:Enabled=true", "--set", $"Nats:Servers={server.Url}", "--set", "Nats:Spool:KeepFreeBytes=0");

    private static Task<(int Code, string Output, string Error)> CollectAsync(NatsServer server, TemporaryDirectory directory) =>
        ServiceProcess.RunAsync(
            "collect", "--directory", directory.Path, "--create-stream", "--once", "--set", $"Nats:Servers={server.Url}");

    private static void Make(Generator flows, int count)
    {
        for (int number = 0; number < count; number++)
            flows.Udp(IPAddress.Loopback, 9);
    }

    private static JsonElement[] Records(string path) =>
        [.. File.ReadLines(path).Select(static line => JsonElement.Parse(line))];

    private static bool IsStart(JsonElement record) => record.GetProperty("event").ValueEquals("start");

    private static string Key(JsonElement record) => record.GetProperty("flow_id").GetString()!;

    /// <summary>The sequence of each run begins with 1 and has no hole, and runs are in order.</summary>
    private static void AssertComplete(JsonElement[] records)
    {
        string run = "";
        long next = 0;
        foreach (JsonElement record in records)
        {
            string of = record.GetProperty("run").GetString()!;
            if (of != run)
            {
                Assert.True(string.CompareOrdinal(of, run) > 0, string.Create(CultureInfo.InvariantCulture, $"{of} after {run}"));
                (run, next) = (of, 1);
            }

            Assert.Equal(next++, record.GetProperty("seq").GetInt64());
        }
    }
}
