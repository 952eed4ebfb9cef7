using ConntrackStream.Sinks.Syslog;

namespace ConntrackStream.Sinks.Tests.Syslog;

public class SyslogServerTests
{
    [Theory]
    [InlineData("unix:/dev/log", "unix:/dev/log")]
    [InlineData("unix-stream:/run/s.sock", "unix-stream:/run/s.sock")]
    [InlineData("udp:logs.example.org", "udp:logs.example.org:514")]
    [InlineData("UDP:192.0.2.1:1514", "udp:192.0.2.1:1514")]
    [InlineData("tcp:logs", "tcp:logs:601")]
    [InlineData("tls:logs.example.org", "tls:logs.example.org:6514")]
    [InlineData("tls:2001:db8::1", "tls:[2001:db8::1]:6514")]
    [InlineData("tls:[2001:db8::1]", "tls:[2001:db8::1]:6514")]
    [InlineData("tcp:[2001:db8::1]:514", "tcp:[2001:db8::1]:514")]
    public void A_server_is_read(string text, string expected)
    {
        Assert.True(SyslogServer.TryParse(text, out SyslogServer? server, out string? error), error);
        Assert.Equal(expected, server.ToString());
        Assert.True(SyslogServer.TryParse(expected, out SyslogServer? again, out _));
        Assert.Equal(server, again);
    }

    [Theory]
    [InlineData("", "must be unix:PATH")]
    [InlineData("/dev/log", "must be unix:PATH")]
    [InlineData("http://logs", "must be unix:PATH")]
    [InlineData("unix:dev/log", "must name the socket by its absolute path")]
    [InlineData("unix:", "must name the socket by its absolute path")]
    [InlineData("udp:", "must name a host")]
    [InlineData("udp:a b", "must name a host")]
    [InlineData("tcp://logs", "must ")]
    [InlineData("tcp:logs:0", "must have a port from 1 to 65535")]
    [InlineData("tcp:logs:65536", "must have a port from 1 to 65535")]
    [InlineData("tcp:logs:x", "must have a port from 1 to 65535")]
    [InlineData("tcp:[logs]:514", "must name a host")]
    [InlineData("tcp:[2001:db8::1", "must ")]
    public void Anything_else_is_refused(string text, string expected)
    {
        Assert.False(SyslogServer.TryParse(text, out _, out string? error));
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_refused() =>
        Assert.False(SyslogServer.TryParse($"unix:/{new string('x', 107)}", out _, out _));
}
