using System.ComponentModel.DataAnnotations;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Sinks.Tests.Ipfix;

public sealed class IpfixOptionsTests
{
    [Theory]
    [InlineData("udp://192.0.2.1", CollectorTransport.Udp, "192.0.2.1", 4739, "192.0.2.1", "udp://192.0.2.1:4739")]
    [InlineData("tcp://[fd00::1]:5000", CollectorTransport.Tcp, "fd00::1", 5000, "fd00::1", "tcp://[fd00::1]:5000")]
    [InlineData("TLS://collector.example", CollectorTransport.Tls, "collector.example", 4740, "collector.example",
        "tls://collector.example:4740")]
    [InlineData("tls://192.0.2.1:9?name=c.example", CollectorTransport.Tls, "192.0.2.1", 9, "c.example", "tls://192.0.2.1:9")]
    internal void A_collector_is_read(
        string text, CollectorTransport transport, string host, ushort port, string serverName, string shown)
    {
        Assert.True(CollectorAddress.TryParse(text, out CollectorAddress? address, out _));
        Assert.Equal(new CollectorAddress(transport, host, port, serverName), address);
        Assert.Equal(shown, address.ToString());
    }

    [Theory]
    [InlineData("192.0.2.1:4739", "must begin with udp://, tcp:// or tls://")]
    [InlineData("sctp://192.0.2.1", "must begin with udp://, tcp:// or tls://")]
    [InlineData("udp://user@192.0.2.1", "must be a host and a port only")]
    [InlineData("udp://192.0.2.1/path", "must be a host and a port only")]
    [InlineData("udp://:4739", "has no host")]
    [InlineData("udp://", "has no host")]
    [InlineData("udp://192.0.2.1:0", "must have a port from 1 to 65535")]
    [InlineData("udp://192.0.2.1:65536", "must have a port from 1 to 65535")]
    [InlineData("TLS://h:99999?name=x", "must have a port from 1 to 65535")]
    [InlineData("tcp://[fd00::1]:x", "must have a port from 1 to 65535")]
    [InlineData("tcp://[fd00::g]:1", "has no host that can be read: it must be a name, an IPv4 address or an IPv6 address in brackets")]
    [InlineData("tcp://192.0.2.1?name=x", "may have ?name=SERVERNAME with tls:// and nothing else")]
    [InlineData("tls://192.0.2.1?name=", "may have ?name=SERVERNAME with tls:// and nothing else")]
    [InlineData("tls://192.0.2.1?ca=x", "may have ?name=SERVERNAME with tls:// and nothing else")]
    public void What_is_no_collector_is_refused_by_its_fault(string text, string fault) =>
        Assert.Equal($"is refused: '{text}' {fault}", Assert.Single(Problems(new IpfixOptions { Collectors = [text] })));

    [Fact]
    public void The_whole_is_checked()
    {
        Assert.Empty(Problems(new IpfixOptions()));
        Assert.Equal(
            ["must not have udp://192.0.2.1:4739 twice"],
            Problems(new IpfixOptions { Collectors = ["udp://192.0.2.1", "udp://192.0.2.1:4739", "tcp://192.0.2.1"] }),
            StringComparer.Ordinal);
        Assert.Equal(
            ["must be 16 at most"],
            Problems(new IpfixOptions { Collectors = [.. Enumerable.Range(1, 17).Select(static port => $"udp://192.0.2.1:{port}")] }),
            StringComparer.Ordinal);
        Assert.StartsWith(
            "must be prefixes such as 10.0.0.0/8: ",
            Assert.Single(Problems(new IpfixOptions { LocalNetworks = ["10.0.0.0/33"] })), StringComparison.Ordinal);
        Assert.StartsWith(
            "is refused: 'dump' is not a kind", Assert.Single(Problems(new IpfixOptions { Deny = ["event dump"] })),
            StringComparison.Ordinal);
        ValidationContext context = new(new IpfixTlsOptions());
        Assert.Single(new IpfixTlsOptions { KeyFile = "/key" }.Validate(context));
        Assert.Single(new IpfixTlsOptions { CertificateFile = "/certificate" }.Validate(context));
        Assert.Empty(new IpfixTlsOptions { CertificateFile = "/certificate", KeyFile = "/key" }.Validate(context));
    }

    private static IEnumerable<string> Problems(IpfixOptions options) =>
        options.Validate(new ValidationContext(options)).Select(static problem => problem.ErrorMessage!);
}
