using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>What NAT must have made of one end of a flow, as the value of <c>conntrack --src-nat</c> and <c>--dst-nat</c>.</summary>
/// <param name="Address">Where its address must lie now; it must have been another one.</param>
/// <param name="Ports">Which port it must have now, which must have been another one, too; null for any.</param>
public readonly record struct NatEnd(IpPrefix Address, PortRange? Ports = null)
{
    /// <summary>Whether an end was translated to it.</summary>
    internal bool Matches(FlowFamily family, IpAddress was, ushort wasPort, IpAddress now, ushort nowPort) =>
        was != now && Address.Contains(now, family) && (Ports is not { } ports || (wasPort != nowPort && ports.Contains(nowPort)));

    /// <summary>Reads <c>192.0.2.1</c>, <c>192.0.2.0/24</c>, <c>192.0.2.1:8080</c>, <c>[2001:db8::1]:8000-8100</c>.</summary>
    public static bool TryParse(string? text, out NatEnd target, [NotNullWhen(false)] out string? error)
    {
        target = default;
        (string address, string? port) = Split(text ?? "");
        PortRange ports = default;
        if (port is not null && !FilterText.TryParsePorts(port, out ports, out error))
            return false;
        if (!IpPrefix.TryParse(address, out IpPrefix prefix, out error))
            return false;
        target = new NatEnd(prefix, port is null ? null : ports);
        return true;
    }

    private static (string Address, string? Port) Split(string text)
    {
        int bracket = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        if (bracket >= 0)
        {
            string behind = text[(bracket + 1)..];
            return behind.Length == 0 ? (text[1..bracket], null)
                : behind[0] == ':' ? (text[1..bracket], behind[1..])
                : (text, null);
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || text.LastIndexOf(':') != colon ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }
}
