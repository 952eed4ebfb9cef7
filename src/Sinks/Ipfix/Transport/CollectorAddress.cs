using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>How messages reach a collector.</summary>
internal enum CollectorTransport
{
    Udp,
    Tcp,
    Tls,
}

/// <summary>A collector as <c>Ipfix:Collectors</c> names it.</summary>
/// <param name="Host">A name, or an address without brackets.</param>
/// <param name="ServerName">What its certificate must be for.</param>
internal sealed record CollectorAddress(CollectorTransport Transport, string Host, ushort Port, string ServerName)
{
    private const ushort UsualPort = 4739, UsualTlsPort = 4740; // ipfix, ipfixs

    private const string SchemeFault = "must begin with udp://, tcp:// or tls://";
    private const string NameKey = "?name=", PortFault = "must have a port from 1 to 65535";

    /// <summary>Reads <c>udp://HOST[:PORT]</c>, <c>tcp://HOST[:PORT]</c> or <c>tls://HOST[:PORT][?name=SERVERNAME]</c>.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out CollectorAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri))
            error = FaultOf(text);
        else if (!TryParse(uri.Scheme, out CollectorTransport transport))
            error = SchemeFault;
        else if (uri.UserInfo.Length > 0 || uri.AbsolutePath is not ("" or "/") || uri.Fragment.Length > 0)
            error = "must be a host and a port only";
        else if (uri.DnsSafeHost.Length == 0)
            error = "has no host";
        else if (uri.Port == 0)
            error = PortFault;
        else if (uri.Query.Length > 0
            && (transport != CollectorTransport.Tls || !uri.Query.StartsWith(NameKey, StringComparison.Ordinal)
                || uri.Query.Length == NameKey.Length))
            error = "may have ?name=SERVERNAME with tls:// and nothing else";
        else
        {
            ushort port = uri.Port > 0 ? (ushort)uri.Port : transport == CollectorTransport.Tls ? UsualTlsPort : UsualPort;
            string name = uri.Query.Length > 0 ? Uri.UnescapeDataString(uri.Query[NameKey.Length..]) : uri.IdnHost;
            address = new CollectorAddress(transport, uri.IdnHost, port, name);
            error = null;
        }

        return address is not null;
    }

    /// <summary>Of what is no URI.</summary>
    private static string FaultOf(string text)
    {
        int colon = text.IndexOf("://", StringComparison.Ordinal);
        if (colon < 0 || !TryParse(text[..colon].ToLowerInvariant(), out _))
            return SchemeFault;
        string host = text[(colon + "://".Length)..].Split('/', '?', '#')[0];
        int port = host.LastIndexOf(':');
        if (host.Length == 0 || port == 0)
            return "has no host";
        bool hasPort = port > host.LastIndexOf(']');
        return hasPort && !ushort.TryParse(host[(port + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? PortFault
            : "has no host that can be read: it must be a name, an IPv4 address or an IPv6 address in brackets";
    }

    /// <summary>As the configuration has it, with the port.</summary>
    public override string ToString()
    {
        string host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return string.Create(CultureInfo.InvariantCulture, $"{Scheme(Transport)}://{host}:{Port}");
    }

    private static bool TryParse(string scheme, out CollectorTransport transport)
    {
        CollectorTransport[] all = Enum.GetValues<CollectorTransport>();
        int at = Array.FindIndex(all, known => Scheme(known) == scheme);
        transport = at < 0 ? default : all[at];
        return at >= 0;
    }

    private static string Scheme(CollectorTransport transport) => transport switch
    {
        CollectorTransport.Udp => "udp",
        CollectorTransport.Tcp => "tcp",
        _ => "tls",
    };
}
