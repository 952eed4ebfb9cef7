using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ConntrackStream.Kafka;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.Fleet;
using ConntrackStream.Sinks.Tests.Fleet.Collect;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Certificates = ConntrackStream.Sinks.Tests.Nats.Certificates;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>Encryption and users; what is encrypted and asked for is the test's own, in front of librdkafka's broker.</summary>
public sealed class KafkaSecurityTests : IDisposable
{
    private const string User = "node", Password = "correct horse";
    private const int Reconnecting = 3056;

    private readonly TemporaryDirectory _files = new();
    private readonly MockKafka _kafka = new();

    [Fact]
    public async Task Records_go_to_a_broker_that_verifies_its_clients_and_are_collected_from_it()
    {
        Certificates.Write(_files.File, "127.0.0.1");
        string? client = null;
        await using SecureKafka broker = new(_kafka, Tls((_, certificate, _, _) => (client = certificate?.Subject) is not null));
        await using KafkaRig node = Node(broker);
        WithCertificate(node.Options);
        await SendAsync(node);
        Assert.Equal("CN=node-1", client);

        CheckResult check = Assert.Single(await CheckAsync(node.Options));
        Assert.Equal(CheckLevel.Ok, check.Level);
        await using Collecting collector = new(node.Options);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((100L, 0L), (counters.Records, counters.Missing));
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_refused_where_the_broker_wants_one()
    {
        Certificates.Write(_files.File, "127.0.0.1");
        await using SecureKafka broker = new(_kafka, Tls(static (_, certificate, _, _) => certificate is not null));
        await using KafkaRig node = Node(broker);
        await RefusedAsync(node, "the broker may want Plugins:Kafka:Tls, its CertificateFile");
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        Certificates.Write(_files.File, "127.0.0.1");
        await using SecureKafka broker = new(_kafka, Tls());
        Certificates.Write(_files.File, "127.0.0.1"); // a new authority, that has not signed the broker's
        await using KafkaRig node = Node(broker);
        await RefusedAsync(node, "certificate verify failed", "Plugins:Kafka:Tls:CaFile");
        Certificates.Write(_files.File, "127.0.0.1");
        node.Options.Tls.CaFile = null; // those of the system
        node.Sink.Reload();
        await RefusedAsync(node, "certificate verify failed");
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        Certificates.Write(_files.File, "other.example.net");
        await using SecureKafka broker = new(_kafka, Tls());
        await using KafkaRig node = Node(broker);
        await RefusedAsync(node, "certificate verify failed");
    }

    [Fact]
    public async Task A_side_that_is_not_encrypted_is_named()
    {
        Certificates.Write(_files.File, "127.0.0.1");
        await using SecureKafka broker = new(_kafka, Tls());
        await using (KafkaRig plain = new(_kafka))
        {
            plain.Options.Brokers = broker.Brokers;
            await RefusedAsync(plain, "the broker may want Plugins:Kafka:Tls,");
        }

        await using KafkaRig node = Node(broker);
        node.Options.Brokers = _kafka.Brokers;
        await RefusedAsync(node, "PLAINTEXT broker listener?");
    }

    [Theory]
    [InlineData(KafkaMechanism.Plain, "PLAIN")]
    [InlineData(KafkaMechanism.ScramSha256, "SCRAM-SHA-256")]
    [InlineData(KafkaMechanism.ScramSha512, "SCRAM-SHA-512")]
    public async Task A_user_with_the_password_is_let_in(KafkaMechanism mechanism, string name)
    {
        Certificates.Write(_files.File, "127.0.0.1");
        await using SecureKafka broker = new(_kafka, Tls(), new SaslServer(User, Password, name));
        await using KafkaRig node = Node(broker);
        WithPassword(node.Options, Password, mechanism);
        await SendAsync(node);
        await using Collecting collector = new(node.Options);
        Assert.Equal(100, (await collector.OnceAsync()).Records);
    }

    [Fact]
    public async Task A_wrong_password_is_named_and_the_right_one_is_taken_without_a_restart()
    {
        const KafkaMechanism Mechanism = KafkaMechanism.ScramSha512;
        SaslServer sasl = new(User, Password, "SCRAM-SHA-512");
        await using SecureKafka broker = new(_kafka, tls: null, sasl);
        await using KafkaRig node = new(_kafka);
        (node.Options.Brokers, node.Options.Mechanism) = (broker.Brokers, Mechanism);
        WithPassword(node.Options, "battery staple", Mechanism);
        await RefusedAsync(node, "invalid credentials");
        await Eventually.TrueAsync(() => node.Sink.Status!.State.Contains("invalid credentials", StringComparison.Ordinal));
        WithPassword(node.Options, Password, Mechanism);
        await node.AcknowledgedAsync(TimeSpan.FromMinutes(1)); // its files are read at each attempt
        await using Collecting collector = new(node.Options);
        collector.Start();
        await Eventually.TrueAsync(() => collector.Written == 10, state: () => string.Join('\n', collector.Logger.Entries));

        sasl.Password = "a new one"; // of which the connection that there is knows nothing
        WithPassword(node.Options, sasl.Password, Mechanism);
        node.Sink.Reload();
        await Eventually.TrueAsync(() => node.Sink.Counters.Connections == 2 && node.Sink.Status!.IsConnected);
        await node.WriteAsync(10);
        await node.AcknowledgedAsync();
        Assert.Equal(1, node.Logger.Ids.Count(static id => id == Reconnecting));

        sasl.Password = "the third";
        WithPassword(node.Options, sasl.Password, Mechanism);
        broker.Disconnect(); // the password that producer and consumer know is not taken any more: new ones read the file
        await Eventually.TrueAsync(() => node.Sink.Counters.Connections == 3, state: () => string.Join('\n', node.Logger.Entries));
        await node.WriteAsync(10);
        await node.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => collector.Written == 30, state: () => string.Join('\n', collector.Logger.Entries));
        Assert.DoesNotContain(node.Logger.Entries, static entry => entry.Message.Contains("horse", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mechanism_that_brokers_lack_is_named_with_those_they_have()
    {
        await using SecureKafka broker = new(_kafka, tls: null, new SaslServer(User, Password, "SCRAM-SHA-256"));
        await using KafkaRig node = new(_kafka);
        node.Options.Brokers = broker.Brokers;
        WithPassword(node.Options, Password, KafkaMechanism.ScramSha512);
        await RefusedAsync(node, "SCRAM-SHA-256");
        CheckResult check = Assert.Single(await CheckAsync(node.Options));
        Assert.Equal(CheckLevel.Fail, check.Level);
        Assert.Contains("SCRAM-SHA-256", check.Finding);
        await using Collecting collector = new(node.Options);
        collector.Start();
        await Eventually.TrueAsync(
            () => collector.Logger.Entries.Exists(static entry => entry.Message.Contains("SCRAM-SHA-256", StringComparison.Ordinal)));
    }

    public void Dispose()
    {
        _kafka.Dispose();
        _files.Dispose();
    }

    private SslServerAuthenticationOptions Tls(RemoteCertificateValidationCallback? client = null) => new()
    {
        ServerCertificate = X509Certificate2.CreateFromPemFile(_files.File("server.pem"), _files.File("server-key.pem")),
        ClientCertificateRequired = client is not null,
        RemoteCertificateValidationCallback = client,
    };

    private KafkaRig Node(SecureKafka broker)
    {
        KafkaRig rig = new(_kafka);
        rig.Options.Brokers = broker.Brokers;
        rig.Options.Tls.CaFile = _files.File("ca.pem");
        return rig;
    }

    private void WithCertificate(KafkaOptions options)
    {
        (options.Tls.CertificateFile, options.Tls.KeyFile) = (_files.File("client.pem"), _files.File("client-key.pem"));
        File.SetUnixFileMode(options.Tls.KeyFile, UnixFileMode.UserRead);
    }

    private void WithPassword(KafkaOptions options, string password, KafkaMechanism mechanism)
    {
        (options.User, options.PasswordFile, options.Mechanism) = (User, _files.File("password"), mechanism);
        File.WriteAllText(options.PasswordFile, $"{password}\n");
        File.SetUnixFileMode(options.PasswordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private async Task SendAsync(KafkaRig node)
    {
        await node.StartAsync();
        await node.WriteAsync(100);
        await node.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(10, _kafka.Read().Count);
    }

    private static Task<IEnumerable<CheckResult>> CheckAsync(KafkaOptions options) => KafkaChecks.RunAsync(
        options, "node", TimeProvider.System, NullLogger.Instance, TestContext.Current.CancellationToken);

    /// <summary>Nothing is sent, and the log says why.</summary>
    private static async Task RefusedAsync(KafkaRig node, params string[] reasons)
    {
        if (node.Sink is null)
            await node.StartAsync();
        await node.WriteAsync(10);
        await Eventually.TrueAsync(
            () => Array.TrueForAll(reasons, reason => node.Logger.Entries.Exists(
                entry => entry.Level >= LogLevel.Warning && entry.Message.Contains(reason, StringComparison.Ordinal))),
            TimeSpan.FromSeconds(20), () => string.Join('\n', node.Logger.Entries));
        Assert.Equal((0L, 0L), (node.Sink!.Counters.Records, node.Sink.Counters.Connections));
    }

    private sealed class Collecting(KafkaOptions options) : CollectRig
    {
        protected override ICollectSource NewSource(CollectOptions collect) =>
            new KafkaSource(options, collect, TimeProvider.System, Logger);
    }
}
