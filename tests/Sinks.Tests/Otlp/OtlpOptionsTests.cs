using System.ComponentModel.DataAnnotations;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;

namespace ConntrackStream.Sinks.Tests.Otlp;

public sealed class OtlpOptionsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:4318")]
    [InlineData("https://otlp.example.net/otlp/")]
    [InlineData("http://[2001:db8::1]:4318")]
    public void An_endpoint_is_a_base_address(string endpoint) =>
        Assert.Empty(Problems(new OtlpOptions { Endpoint = endpoint }));

    [Theory]
    [InlineData("127.0.0.1:4318", "must be as in http://127.0.0.1:4318")]
    [InlineData("grpc://127.0.0.1:4317", "must be as in http://127.0.0.1:4318")]
    [InlineData("https://user:secret@host", "must not have a user")]
    [InlineData("https://host/?key=secret", "must end with its path")]
    [InlineData("https://host/v1/logs", "must be without /v1/logs")]
    public void What_is_none_is_refused_without_repeating_a_secret(string endpoint, string problem)
    {
        string found = Assert.Single(Problems(new OtlpOptions { Endpoint = endpoint }));
        Assert.Contains(problem, found, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", found, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        OtlpOptions[] wrong =
        [
            new() { Endpoint = "http://host/path", Protocol = OtlpProtocol.Grpc },
            new() { Tls = new OtlpTlsOptions { CaFile = "/ca.pem" } },
            new() { Headers = ["no colon"] },
            new() { Headers = ["Content-Type: text/plain"] },
            new() { Headers = ["X-A: b\r\nX-C: d"] },
            new() { ResourceAttributes = ["name"] },
            new() { ResourceAttributes = ["=value"] },
            new() { MaxRequestBytes = 1 },
            new() { MaxRequestBytes = 1 << 20, MemoryBytes = 1 << 20 },
            new() { Fields = ["source.adress"] },
            new() { ExcludeFields = ["conntrack.event"] },
            new() { Allow = ["proto"] },
        ];
        Assert.All(wrong, static options => Assert.Single(Problems(options)));
        Assert.Contains("source.address", Assert.Single(Problems(wrong[^3])), StringComparison.Ordinal);
    }

    [Fact]
    public void An_instance_has_the_same_id_after_a_restart_and_each_namespace_another()
    {
        string machine = new('a', 32);
        Guid id = OtlpResource.InstanceId(machine, null);
        Assert.Equal(id, OtlpResource.InstanceId(machine, null));
        Assert.Equal(8, id.Version);
        Assert.NotEqual(id, OtlpResource.InstanceId(machine, "blue"));
        Assert.NotEqual(OtlpResource.InstanceId(null, null), OtlpResource.InstanceId(null, null));
    }

    private static string[] Problems(OtlpOptions options) =>
        [.. options.Validate(new ValidationContext(options)).Select(static result => result.ErrorMessage!)];
}
