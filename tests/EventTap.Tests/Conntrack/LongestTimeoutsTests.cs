using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public sealed class LongestTimeoutsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-timeouts-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_longest_timeout_of_each_protocol_counts()
    {
        Write("tcp_timeout_syn_sent", "120\n");
        Write("tcp_timeout_established", "86400\n");
        Write("tcp_timeout_close", "10\n");
        Write("tcp_max_retrans", "1000000\n"); // no timeout
        Write("udp_timeout", "30\n");
        Write("udp_timeout_stream", "120\n");
        Write("icmp_timeout", "30\n");
        Write("generic_timeout", "600\n");
        LongestTimeouts timeouts = LongestTimeouts.Read(_directory);
        Assert.Equal(
            [86400, 120, 120, 30, 600, 600],
            new[] { IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.UdpLite, IpProtocol.Icmp, IpProtocol.Sctp, (IpProtocol)200 }
                .Select(protocol => timeouts.Of(protocol).TotalSeconds));
    }

    [Theory]
    [InlineData("many")]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("99999999999999999999")]
    public void What_cannot_be_read_counts_as_the_longest(string text)
    {
        Write("udp_timeout", "30\n");
        Write("udp_timeout_stream", text);
        Assert.Equal(TimeSpan.FromDays(5), LongestTimeouts.Read(_directory).Of(IpProtocol.Udp));
    }

    [Fact]
    public void A_kernel_that_says_nothing_keeps_everything_for_the_longest_time()
    {
        Assert.Equal(TimeSpan.FromDays(5), LongestTimeouts.Read(_directory).Of(IpProtocol.Udp));
        Assert.Equal(TimeSpan.FromDays(5), LongestTimeouts.Read(_directory + "/missing").Of(IpProtocol.Tcp));
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_directory, $"nf_conntrack_{name}"), text);
}
