using System.ComponentModel.DataAnnotations;
using ConntrackStream.Sinks.Nats;

namespace ConntrackStream.Sinks.Tests.Nats;

public sealed class NatsOptionsTests
{
    public static TheoryData<string, NatsOptions> Wrong => new()
    {
        { "Servers", new NatsOptions { Servers = [] } },
        { "Servers", new NatsOptions { Servers = ["nats://good:4222", "bad"] } },
        { "Servers", new NatsOptions { Servers = ["http://host:4222"] } },
        { "Servers", new NatsOptions { Servers = ["nats://user:password@host:4222"] } },
        { "Subject", new NatsOptions { Subject = "conntrack.>" } },
        { "MemoryBytes", new NatsOptions { MemoryBytes = 1 } },
        { "User", new NatsOptions { User = "node" } },
        { "User", new NatsOptions { PasswordFile = "/p" } },
        { "CredentialsFile", new NatsOptions { CredentialsFile = "/c", TokenFile = "/t" } },
        { "TokenFile", new NatsOptions { User = "node", PasswordFile = "/p", TokenFile = "/t" } },
    };

    [Fact]
    public void The_defaults_are_right() => Assert.Empty(Problems(new NatsOptions()));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_is_named(string key, NatsOptions options) =>
        Assert.Contains(key, Problems(options), StringComparer.Ordinal);

    [Fact]
    public void A_certificate_needs_its_key()
    {
        Assert.Empty(Problems(new NatsTlsOptions { CertificateFile = "/c", KeyFile = "/k" }));
        Assert.Equal("CertificateFile", Assert.Single(Problems(new NatsTlsOptions { CertificateFile = "/c" })));
        Assert.Equal("CertificateFile", Assert.Single(Problems(new NatsTlsOptions { KeyFile = "/k" })));
    }

    private static IEnumerable<string> Problems(IValidatableObject options) =>
        options.Validate(new ValidationContext(options)).SelectMany(static result => result.MemberNames);
}
