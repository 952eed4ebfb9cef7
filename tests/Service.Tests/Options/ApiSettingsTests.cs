using System.Collections;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Options;

/// <summary>What of the HTTP interface's settings does not go together.</summary>
public sealed class ApiSettingsTests
{
    [Theory]
    [InlineData("Api:Listen=0.0.0.0:8080", "is open to other machines by 0.0.0.0:8080: that needs Api:TokenFile")]
    [InlineData("Api:Listen=[::]:8080", "Api:Listen: \"[::]:8080\" is open to other machines")]
    [InlineData("Api:Listen=127.0.0.1:8080,192.0.2.1:8080", "is open to other machines by 192.0.2.1:8080")]
    [InlineData("Api:Listen=0.0.0.0:8080 Api:TokenFile=/t", "is open to other machines")]
    [InlineData("Api:Listen=0.0.0.0:8080 Api:Tls:CertificateFile=/c Api:Tls:KeyFile=/k", "is open to other machines")]
    [InlineData("Api:Listen=0.0.0.0:8080 Api:TokenFile= Api:Tls:CertificateFile=/c Api:Tls:KeyFile=/k", "is open to other machines")]
    [InlineData("Api:Listen=0.0.0.0:8080 Api:TokenFile=/t Api:Tls:CertificateFile= Api:Tls:KeyFile=", "is open to other machines")]
    [InlineData("Api:Listen=127.0.0.1:0", "'127.0.0.1:0' is none")]
    [InlineData("Api:Listen=localhost:8080", "or [::1]:8080; 'localhost:8080' is none")]
    [InlineData("Api:Listen=127.0.0.1", "'127.0.0.1' is none")]
    [InlineData("Api:Listen=::1", "'::1' is none")]
    [InlineData("Api:TokenFile=/t", "Api:TokenFile: \"/t\" does nothing without Api:Listen")]
    [InlineData("Api:Tls:CertificateFile=/c Api:Tls:KeyFile=/k", "Api:Listen: \"\" must not be empty since Api:Tls is set")]
    [InlineData("Api:Tls:CertificateFile=/c Api:Listen=127.0.0.1:1", "must be given together with Api:Tls:CertificateFile")]
    [InlineData("Api:SocketMode=0770", "Api:SocketMode: \"0770\" must be three octal digits without execute bits, such as 660 or 0660")]
    [InlineData("Api:SocketMode=rw", "must be three octal digits")]
    [InlineData("Api:SocketMode=4660", "must be three octal digits")]
    [InlineData("Api:Metrics:Listen=9469", "Api:Metrics:Listen: \"9469\" must be an address with a port")]
    [InlineData("Api:Metrics:TextFile=/var/lib/metrics.txt", "must be a whole path that ends in .prom")]
    [InlineData("Api:Metrics:TextFile=metrics.prom", "must be a whole path that ends in .prom")]
    [InlineData("Api:Streams:KeptChanges=10", "must be from 256 to 1048576")]
    public void Are_refused(string settings, string reason)
    {
        ConfigurationException refused = Assert.Throws<ConfigurationException>(() => Load(settings));
        Assert.Contains(refused.Faults, fault => fault.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Api:Listen=127.0.0.1:8080,[::1]:8080")]
    [InlineData("Api:Listen=0.0.0.0:8443 Api:TokenFile=/t Api:Tls:CertificateFile=/c Api:Tls:KeyFile=/k")]
    [InlineData("Api:Listen=127.0.0.1:8080 Api:TokenFile= Api:Tls:CertificateFile= Api:Tls:KeyFile=")]
    [InlineData("Api:Metrics:Listen=[::]:9469")]
    [InlineData("Api:Metrics:TextFile=/var/lib/node_exporter/conntrack_stream.prom")]
    [InlineData("Api:SocketMode=600")]
    public void Are_taken(string settings) => Load(settings);

    private static ServiceOptions Load(string settings) => OptionsLoader.Load(
        new ConfigurationSources(Settings: settings.Split(' ')) { DefaultFiles = [], Environment = new Hashtable() });
}
