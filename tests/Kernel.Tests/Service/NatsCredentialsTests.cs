using ConntrackStream.Sinks.Tests.Nats;
using Certificates = ConntrackStream.Sinks.Tests.Nats.Certificates;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>How a node proves to NATS who it is, and what it demands of the server: the program as it ships, by its doctor.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class NatsCredentialsTests
{
    private const string Tls = """
        tls: { cert_file: "{0}/server.pem", key_file: "{0}/server-key.pem", ca_file: "{0}/ca.pem", verify: true }
        """;

    private static readonly NatsOperator Operator = new();

    [Theory]
    [InlineData("token", "Nats:TokenFile={0}/secret")]
    [InlineData("password", "Nats:User=node", "Nats:PasswordFile={0}/secret")]
    [InlineData("credentials", "Nats:CredentialsFile={0}/secret")]
    [InlineData(
        "certificate", "Nats:Tls:CaFile={0}/ca.pem", "Nats:Tls:CertificateFile={0}/client.pem", "Nats:Tls:KeyFile={0}/client-key.pem")]
    public async Task The_server_lets_in_who_has_the_files_and_no_other(string kind, params string[] settings)
    {
        (string configuration, string secret) = kind switch
        {
            "token" => ("authorization: { token: right }", "right\n"),
            "password" => ("authorization: { users: [ { user: node, password: right } ] }", "right\n"),
            "credentials" => (Operator.Configuration, Operator.Credentials()),
            _ => (Tls, ""),
        };
        await using NatsServer server = await NatsServer.StartAsync(configuration, starts: false);
        Certificates.Write(server.File, "127.0.0.1");
        await File.WriteAllTextAsync(server.File("secret"), secret, TestContext.Current.CancellationToken);
        await server.StartAsync();
        string[] doctor = ["doctor", "--set", "Nats:Enabled=true", "--set", $"Nats:Servers={server.Url}"];
        string[] own = [.. settings.SelectMany(setting => (string[])["--set", server.InDirectory(setting)])];
        Task<(int, string Output, string)> let = ServiceProcess.RunAsync([.. doctor, .. own]), refused = ServiceProcess.RunAsync(doctor);
        Assert.Contains($"NATS: no stream of server {server.Url} takes conntrack.", (await let).Output); // JetStream has answered
        string output = (await refused).Output;
        Assert.Contains("NATS: ", output);
        Assert.DoesNotContain("no stream", output);
    }
}
