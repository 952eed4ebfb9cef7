using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Nats;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>The lines of doctor, each against a server in that state.</summary>
public sealed class NatsChecksTests
{
    [Fact]
    public async Task A_stream_that_takes_the_records_is_named()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        CheckResult result = Assert.Single(await CheckAsync(server));
        Assert.Equal(CheckLevel.Ok, result.Level);
        Assert.Contains($"stream {StreamRecords.Name} of server", result.Finding);
    }

    [Fact]
    public async Task Without_a_stream_the_way_to_one_is_named()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        CheckResult result = Assert.Single(await CheckAsync(server));
        Assert.Equal(CheckLevel.Fail, result.Level);
        Assert.Contains("--create-stream", result.Fix);
    }

    [Fact]
    public async Task A_stream_that_forgets_copies_soon_or_is_in_memory_is_warned_of()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync(static config => config.Storage = StreamConfigStorage.Memory);
        Assert.Contains("in memory", Assert.Single(await CheckAsync(server)).Finding);
        await stream.UpdateAsync(static config => config.DuplicateWindow = TimeSpan.FromSeconds(30));
        Assert.Contains("within 30 s", Assert.Single(await CheckAsync(server)).Finding);
    }

    [Fact]
    public async Task A_server_that_is_away_and_a_secret_that_others_can_read_are_two_lines()
    {
        await using NatsServer server = await NatsServer.StartAsync(starts: false);
        string secret = server.File("token");
        await File.WriteAllTextAsync(secret, "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        CheckResult[] results = [.. await CheckAsync(server, options => options.TokenFile = secret)];
        Assert.Equal([CheckLevel.Warn, CheckLevel.Fail], results.Select(static result => result.Level));
        Assert.Contains("chmod 600", results[0].Fix);
        Assert.Contains(server.Url, results[1].Finding);
    }

    [Fact]
    public async Task A_server_without_JetStream_is_named()
    {
        await using NatsServer server = await NatsServer.StartAsync(jetStream: false);
        Assert.Contains("has no JetStream", Assert.Single(await CheckAsync(server)).Finding);
    }

    private static async Task<IEnumerable<CheckResult>> CheckAsync(NatsServer server, Action<NatsOptions>? change = null)
    {
        NatsOptions options = new() { Servers = [server.Url] };
        change?.Invoke(options);
        return await NatsChecks.RunAsync(options, "node-1", TimeProvider.System, TestContext.Current.CancellationToken);
    }
}
