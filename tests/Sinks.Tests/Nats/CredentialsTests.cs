using NATS.Client.Core;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>Users by file: what the server lets in, and what it does not.</summary>
public sealed class CredentialsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Credentials_of_nsc_are_taken_and_those_of_another_operator_are_named()
    {
        NatsOperator known = new();
        await using NatsServer server = await NatsServer.StartAsync(known.Configuration);
        await using StreamRecords stream = new(server.Url, NatsOpts.Default with { AuthOpts = new() { Creds = known.Credentials() } });
        await ProveAsync(server, stream, new NatsOperator().Credentials(), known.Credentials(),
            static (rig, file) => rig.Options.CredentialsFile = file);
    }

    [Fact]
    public async Task A_token_is_taken_and_a_wrong_one_is_named()
    {
        await using NatsServer server = await NatsServer.StartAsync("authorization: { token: right }");
        await using StreamRecords stream = new(server.Url, NatsOpts.Default with { AuthOpts = new() { Token = "right" } });
        await ProveAsync(server, stream, "wrong\n", "right\n", static (rig, file) => rig.Options.TokenFile = file);
    }

    /// <summary>With the wrong file nothing is sent, and the log says why; with the right one, read again, everything.</summary>
    private static async Task ProveAsync(
        NatsServer server, StreamRecords stream, string wrong, string right, Action<PublisherRig, string> configure)
    {
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        configure(rig, rig.File("secret"));
        await File.WriteAllTextAsync(rig.File("secret"), wrong, Token);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("Authorization"), state: () => string.Join('\n', rig.Logger.Entries));
        Assert.Equal(0, rig.Sink.Counters.Connections);
        await File.WriteAllTextAsync(rig.File("secret"), right, Token);
        await rig.AcknowledgedAsync();
        Assert.Equal(1, await stream.CountAsync());
    }
}
