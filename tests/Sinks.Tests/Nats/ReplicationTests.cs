using System.Text.Json;
using ConntrackStream.Sinks.Tests.Fleet;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>Three servers, each with a copy of the stream.</summary>
public sealed class ReplicationTests
{
    [Fact]
    public async Task The_leader_killed_under_load_costs_nothing()
    {
        NatsServer[] servers = await ClusterAsync();
        try
        {
            string urls = string.Join(',', servers.Select(static server => server.Url));
            await using StreamRecords stream = new(urls);
            await Eventually.TrueAsync(() => TryCreateAsync(stream), TimeSpan.FromMinutes(1));
            await using PublisherRig node = new(servers[0].Url);
            node.Options.Servers = [.. servers.Select(static server => server.Url)];
            await node.StartAsync();
            await node.WriteAsync(5000);
            await Eventually.TrueAsync(() => node.Sink.Counters.Records > 1000);
            string leader = await stream.LeaderAsync();
            await servers[int.Parse(leader[1..], System.Globalization.CultureInfo.InvariantCulture)].KillAsync();
            await node.WriteAsync(5000);
            await node.AcknowledgedAsync(TimeSpan.FromMinutes(2));
            await Eventually.TrueAsync(async () => await stream.LeaderAsync() is var now && now.Length > 0 && now != leader);
            List<JsonElement> records = Assert.Single(StreamMessage.Prove(await stream.ReadAsync())).Value;
            Assert.Equal(10_000, records.Count);
        }
        finally
        {
            foreach (NatsServer server in servers)
                await server.DisposeAsync();
        }
    }

    private static async Task<NatsServer[]> ClusterAsync()
    {
        int[] ports = [.. Enumerable.Range(0, 3).Select(static _ => NatsServer.FreePort())];
        string routes = string.Join(", ", ports.Select(static port => $"\"nats://127.0.0.1:{port}\""));
        NatsServer[] servers = await Task.WhenAll(ports.Select((port, number) => NatsServer.StartAsync(
            $$"""
            server_name: n{{number}}
            cluster: { name: test, listen: "127.0.0.1:{{port}}", routes: [ {{routes}} ] }
            """,
            starts: false)));
        foreach (NatsServer server in servers)
            await server.StartAsync();
        return servers;
    }

    /// <summary>Until the servers have elected a leader of theirs, and after a creation that was not answered in time.</summary>
    private static async Task<bool> TryCreateAsync(StreamRecords stream)
    {
        try
        {
            await stream.CreateAsync(static config => config.NumReplicas = 3);
            return true;
        }
        catch (NATS.Client.Core.NatsException e)
        {
            return e is NatsJSApiException { Error.ErrCode: 10058 }; // JSStreamNameExistErr
        }
    }
}
