using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>
/// An address with or without a port: <c>203.0.113.50</c>, <c>203.0.113.50:32768</c>, <c>2001:db8::1</c>, <c>[2001:db8::1]:443</c>.
/// </summary>
internal readonly record struct EndpointText(FlowFamily Family, IpAddress Address, ushort? Port)
{
    internal static bool TryParse(string text, out EndpointText endpoint, [NotNullWhen(false)] out string? error)
    {
        endpoint = default;
        error = $"'{text}' is not an address; write 203.0.113.50, 203.0.113.50:32768, 2001:db8::1 or [2001:db8::1]:443";
        (string address, string? port) = Split(text);
        ushort number = 0;
        if (port is not null && !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            error = $"'{port}' is not a port from 0 to 65535";
            return false;
        }

        if (!IPAddress.TryParse(address, out IPAddress? parsed) || address.Contains('%', StringComparison.Ordinal))
            return false;
        bool isIPv4 = parsed.AddressFamily == AddressFamily.InterNetwork;
        if (isIPv4 && parsed.ToString() != address) // 10.1 is 10.0.0.1 there, 010.0.0.1 is 8.0.0.1
            return false;
        error = null;
        endpoint = new EndpointText(isIPv4 ? FlowFamily.IPv4 : FlowFamily.IPv6, IpAddress.From(parsed), port is null ? null : number);
        return true;
    }

    private static (string Address, string? Port) Split(string text)
    {
        int bracket = text.LastIndexOf(']');
        if (text.StartsWith('[') && bracket > 0)
            return (text[1..bracket], bracket + 1 == text.Length ? null : text[(bracket + 1)..].TrimStart(':'));
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && text.IndexOf(':', colon + 1) < 0 ? (text[..colon], text[(colon + 1)..]) : (text, null);
    }
}
