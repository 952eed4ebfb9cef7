using System.ComponentModel.DataAnnotations;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Syslog;

namespace ConntrackStream.Sinks.Tests.Syslog;

public class SyslogOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Validate(new SyslogOptions()));

    [Fact]
    public void Each_mistake_names_the_key_and_what_is_allowed()
    {
        SyslogOptions options = new()
        {
            Server = "tcp:",
            AppName = "a b",
            Host = "gate way",
            Format = FlowLogFormat.Text,
            Fields = ["src"],
            Deny = ["proto tpc"],
            Tls = { CaFile = "/ca.pem" },
        };
        string[] expected =
        [
            "Server must name a host", "AppName must have 1 to 48", "Host must have printable", "Server must begin with tls:",
            "Deny is refused: 'tpc' is not a protocol", "Fields needs the format json or ecs",
        ];
        List<string> problems = Validate(options);
        Assert.Equal(expected.Length, problems.Count);
        Assert.All(expected.Zip(problems), static pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_needs_its_certificate_and_a_name_must_be_one()
    {
        SyslogTlsOptions options = new() { KeyFile = "/key.pem", ServerName = "a b" };
        Assert.Equal(
            ["must be the name of a host or an address", "needs Syslog:Tls:CertificateFile"],
            options.Validate(new ValidationContext(options)).Select(static result => result.ErrorMessage), StringComparer.Ordinal);
    }

    private static List<string> Validate(SyslogOptions options) =>
    [
        .. options.Validate(new ValidationContext(options)).Select(static result => $"{result.MemberNames.First()} {result.ErrorMessage}"),
    ];
}
