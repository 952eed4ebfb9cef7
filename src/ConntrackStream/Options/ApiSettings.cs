using System.ComponentModel.DataAnnotations;
using System.Net;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api</c>: the running service's HTTP interface, on a Unix socket and, when asked for, on TCP.</summary>
public sealed class ApiSettings : IOptionSection, IValidatableObject
{
    /// <summary>Serve it at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Path of the socket.</summary>
    [Required]
    [StringLength(107)]
    public string Socket { get; set; } = "/run/conntrack-stream/api.sock";

    /// <summary>Mode of the socket, in octal digits. Who may write to it may connect.</summary>
    public string SocketMode { get; set; } = "0660";

    /// <summary>Group of the socket: a name or a number. null: the service's own.</summary>
    public string? SocketGroup { get; set; }

    /// <summary>
    /// TCP addresses to listen on, too, such as 127.0.0.1:8080 or [::1]:8080. One that is not a loopback address needs TokenFile and Tls.
    /// </summary>
    public string[] Listen { get; set; } = [];

    /// <summary>
    /// File with a token of at least 16 characters that requests over TCP must send, as Authorization: Bearer TOKEN. Read again at SIGHUP.
    /// null: none, on loopback addresses only.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// Answers of any length (flows, counts, tombstones, streams) at one time, on the socket and as many over TCP; one more is refused with
    /// 503. Health, status and metrics are always answered.
    /// </summary>
    [Range(1, 1024)]
    public int MaxConnections { get; set; } = 32;

    /// <summary>A client that takes nothing of its answer for so long is disconnected.</summary>
    [DurationRange("00:00:02", "01:00:00")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection without a request is closed after this time, and sooner when there are more than <c>MaxConnections</c> + 32: the one
    /// that has been quiet for longest.
    /// </summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>TLS of Listen.</summary>
    public ApiTlsSettings Tls { get; set; } = new();

    /// <summary>Server-sent events.</summary>
    public ApiStreamSettings Streams { get; set; } = new();

    /// <summary>Metrics by other ways than the socket.</summary>
    public ApiMetricsSettings Metrics { get; set; } = new();

    /// <summary><see cref="SocketMode"/> as a number.</summary>
    /// <exception cref="FormatException">It is invalid (and was refused before).</exception>
    internal UnixFileMode ParsedSocketMode() =>
        TryParseMode(SocketMode, out UnixFileMode mode) ? mode : throw new FormatException(SocketMode);

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!TryParseMode(SocketMode, out _))
            yield return new ValidationResult("must be three octal digits without execute bits, such as 660 or 0660", [nameof(SocketMode)]);
        foreach (string address in Listen)
        {
            if (!ListenText.TryParse(address, out IPEndPoint? endpoint))
                yield return new ValidationResult($"must have {ListenText.Allowed}; '{address}' is none", [nameof(Listen)]);
            else if (!IPAddress.IsLoopback(endpoint.Address) && (string.IsNullOrEmpty(TokenFile) || !Tls.IsConfigured))
                yield return new ValidationResult(
                    $"is open to other machines by {address}: that needs Api:TokenFile, Api:Tls:CertificateFile and Api:Tls:KeyFile; "
                    + "or listen on 127.0.0.1 or [::1]",
                    [nameof(Listen)]);
        }

        if (Listen.Length == 0 && !string.IsNullOrEmpty(TokenFile))
        {
            yield return new ValidationResult(
                "does nothing without Api:Listen: on the socket its mode and group decide", [nameof(TokenFile)]);
        }

        if (Listen.Length == 0 && Tls.IsConfigured)
            yield return new ValidationResult("must not be empty since Api:Tls is set", [nameof(Listen)]);
    }

    private static bool TryParseMode(string text, out UnixFileMode mode)
    {
        mode = default;
        if (text.Length is not (3 or 4) || text.Any(static digit => digit is < '0' or > '7') || (text.Length == 4 && text[0] != '0'))
            return false;
        mode = (UnixFileMode)Convert.ToInt32(text, 8);
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return (mode & Execute) == UnixFileMode.None;
    }
}
