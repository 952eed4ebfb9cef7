using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>Where messages go.</summary>
/// <param name="Host">Name or address, or the path of a Unix socket.</param>
/// <param name="Port">0 for a Unix socket.</param>
internal sealed record SyslogServer(SyslogTransport Transport, string Host, int Port = 0)
{
    internal const string Allowed = "unix:PATH, unix-stream:PATH, udp:HOST[:PORT], tcp:HOST[:PORT] or tls:HOST[:PORT]";

    private const int MaxPath = 107; // sun_path has 108 bytes, with its zero

    // IANA's: syslog, syslog-conn, syslog-tls
    private static readonly (string Scheme, SyslogTransport Transport, int Port)[] Schemes =
    [
        ("unix", SyslogTransport.UnixDatagram, 0), ("unix-stream", SyslogTransport.UnixStream, 0), ("udp", SyslogTransport.Udp, 514),
        ("tcp", SyslogTransport.Tcp, 601), ("tls", SyslogTransport.Tls, 6514),
    ];

    internal bool IsUnix => Transport is SyslogTransport.UnixDatagram or SyslogTransport.UnixStream;

    internal bool IsDatagram => Transport is SyslogTransport.UnixDatagram or SyslogTransport.Udp;

    /// <summary>Reads <see cref="Allowed"/>; an IPv6 address with a port is in brackets.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out SyslogServer? server, [NotNullWhen(false)] out string? error)
    {
        server = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        (string Scheme, SyslogTransport Transport, int Port) found =
            Array.Find(Schemes, scheme => colon > 0 && scheme.Scheme.Equals(text[..colon], StringComparison.OrdinalIgnoreCase));
        if (found.Scheme is null)
        {
            error = $"must be {Allowed}";
            return false;
        }

        string rest = text[(colon + 1)..];
        error = found.Port == 0 ? ProblemOfPath(rest) : ReadHost(rest, found.Port, out rest, out found.Port);
        if (error is null)
            server = new SyslogServer(found.Transport, rest, found.Port);
        return server is not null;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString()
    {
        string scheme = Array.Find(Schemes, known => known.Transport == Transport).Scheme;
        return IsUnix ? $"{scheme}:{Host}"
            : string.Create(CultureInfo.InvariantCulture, $"{scheme}:{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}");
    }

    private static string? ProblemOfPath(string path) =>
        !path.StartsWith('/') ? "must name the socket by its absolute path, such as unix:/dev/log"
        : Encoding.UTF8.GetByteCount(path) > MaxPath
            ? string.Create(CultureInfo.InvariantCulture, $"has a longer path than a socket can have, {MaxPath} bytes")
        : null;

    private static string? ReadHost(string text, int defaultPort, out string host, out int port)
    {
        port = defaultPort;
        host = text;
        int bracket = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        bool isBareIPv6 = bracket < 0 && IPAddress.TryParse(text, out IPAddress? bare)
            && bare.AddressFamily == AddressFamily.InterNetworkV6;
        int colon = isBareIPv6 ? -1 : text.LastIndexOf(':');
        if (colon > bracket)
        {
            host = text[..colon];
            if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > 65535)
                return "must have a port from 1 to 65535";
        }

        if (bracket >= 0)
            host = host.Trim('[', ']');
        bool isHost = (bracket < 0 || IPAddress.TryParse(host, out _)) && Uri.CheckHostName(host) != UriHostNameType.Unknown;
        return isHost ? null : $"must name a host, an IPv4 address or an IPv6 address in brackets: {Allowed}";
    }
}
