using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Syslog;

/// <summary><c>Syslog</c>: records as messages to a syslog server (RFC 5424).</summary>
public sealed class SyslogOptions : RecordOptions
{
    /// <summary>Send records to a syslog server.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// unix:PATH (datagrams), unix-stream:PATH, udp:HOST[:514], tcp:HOST[:601] or tls:HOST[:6514]; an IPv6 address with a port is in
    /// brackets.
    /// </summary>
    public string Server { get; set; } = "unix:/dev/log";

    /// <summary>The messages' facility: local0 to local7, daemon, user, …</summary>
    public SyslogFacility Facility { get; set; } = SyslogFacility.Local0;

    /// <summary>The severity of records of flows: emerg, alert, crit, err, warning, notice, info or debug.</summary>
    public SyslogSeverity Severity { get; set; } = SyslogSeverity.Info;

    /// <summary>The severity of gap records.</summary>
    public SyslogSeverity GapSeverity { get; set; } = SyslogSeverity.Warning;

    /// <summary>The messages' APP-NAME.</summary>
    public string AppName { get; set; } = "conntrack-stream";

    /// <summary>
    /// A message that would be longer is dropped and counted; a gap record reports it. Servers must take 480, should take 2048.
    /// </summary>
    [Range(480, 65507)]
    public long MaxMessageBytes { get; set; } = 8192;

    /// <summary>How long a connection, with its handshake, and a write may take. After it the connection is given up.</summary>
    [DurationRange("00:00:00.1", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For tls.</summary>
    public SyslogTlsOptions Tls { get; set; } = new();

    /// <summary>As configured.</summary>
    /// <exception cref="FormatException">It is invalid (and was refused before).</exception>
    internal SyslogServer ParsedServer() =>
        SyslogServer.TryParse(Server, out SyslogServer? server, out string? error) ? server : throw new FormatException(error);

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!SyslogServer.TryParse(Server, out SyslogServer? server, out string? error))
            yield return new ValidationResult(error, [nameof(Server)]);
        if (AppName.Length is 0 or > 48 || !SyslogHeader.IsPrintable(AppName))
            yield return new ValidationResult("must have 1 to 48 printable ASCII characters without blanks", [nameof(AppName)]);
        if (Host is { Length: > 0 and <= 255 } && !SyslogHeader.IsPrintable(Host))
            yield return new ValidationResult("must have printable ASCII characters without blanks", [nameof(Host)]);
        if (server?.Transport != SyslogTransport.Tls && Tls is not { ServerName: null, CaFile: null, CertificateFile: null, KeyFile: null })
            yield return new ValidationResult("must begin with tls: since Syslog:Tls is set", [nameof(Server)]);
        foreach (ValidationResult problem in base.Validate(validationContext))
            yield return problem;
    }
}
