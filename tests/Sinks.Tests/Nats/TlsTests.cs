using NATS.Client.Core;

namespace ConntrackStream.Sinks.Tests.Nats;

public sealed class TlsTests
{
    private const string Tls = """
        tls: { cert_file: "{0}/server.pem", key_file: "{0}/server-key.pem", ca_file: "{0}/ca.pem", verify: true }
        """;

    [Fact]
    public async Task Records_go_to_a_server_that_verifies_its_clients()
    {
        await using NatsServer server = await ServerAsync("127.0.0.1");
        await using StreamRecords stream = new(server.Url, Admin(server));
        await stream.CreateAsync();
        await using PublisherRig rig = Rig(server);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await rig.AcknowledgedAsync();
        Assert.Equal(1, await stream.CountAsync());
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        await using NatsServer server = await ServerAsync("other.example.net");
        await using PublisherRig rig = Rig(server);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("certificate"), state: () => string.Join('\n', rig.Logger.Entries));
        Assert.Equal(0, rig.Sink.Counters.Records);
    }

    [Fact]
    public async Task An_authority_that_is_not_trusted_is_refused()
    {
        await using NatsServer server = await ServerAsync("127.0.0.1");
        await using PublisherRig rig = Rig(server);
        rig.Options.Tls.CaFile = null; // those of the system
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("certificate"), state: () => string.Join('\n', rig.Logger.Entries));
        Assert.Equal(0, rig.Sink.Counters.Records);
    }

    [Fact]
    public async Task A_server_without_encryption_gets_nothing_where_it_is_demanded()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        Certificates.Write(server.File, "127.0.0.1");
        await using PublisherRig rig = Rig(server);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("TLS"), state: () => string.Join('\n', rig.Logger.Entries));
        Assert.Equal(0, rig.Sink.Counters.Connections);
    }

    private static async Task<NatsServer> ServerAsync(string name)
    {
        NatsServer server = await NatsServer.StartAsync(Tls, starts: false);
        Certificates.Write(server.File, name);
        await server.StartAsync();
        return server;
    }

    private static PublisherRig Rig(NatsServer server)
    {
        PublisherRig rig = new(server.Url);
        rig.Options.Tls.CaFile = server.File("ca.pem");
        (rig.Options.Tls.CertificateFile, rig.Options.Tls.KeyFile) = (server.File("client.pem"), server.File("client-key.pem"));
        return rig;
    }

    private static NatsOpts Admin(NatsServer server) => NatsOpts.Default with
    {
        TlsOpts = new NatsTlsOpts
        {
            Mode = TlsMode.Require,
            CaFile = server.File("ca.pem"),
            CertFile = server.File("client.pem"),
            KeyFile = server.File("client-key.pem"),
        },
    };
}
