using System.Globalization;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Where NAT translates to: an address, perhaps with a port.</summary>
internal static class NatArgument
{
    /// <summary>Parts <c>ADDRESS</c>, <c>ADDRESS:PORT</c> and <c>[IPV6]:PORT</c>; the address is not looked at.</summary>
    /// <exception cref="ConntrackFault">A bracket or port is wrong.</exception>
    internal static (string Address, ushort? Port) Split(string text)
    {
        int bracket = text.IndexOf('[', StringComparison.Ordinal);
        int colon;
        string address;
        if (bracket >= 0)
        {
            int close = text.IndexOf(']', bracket);
            if (close == bracket + 1)
                throw ConntrackFault.Usage("No IPv6 address specified");
            if (close < 0)
                throw ConntrackFault.Usage("No closing ']' around IPv6 address");
            colon = text.IndexOf(':', close);
            address = text[(bracket + 1)..close];
        }
        else
        {
            colon = text.IndexOf(':', StringComparison.Ordinal);
            colon = colon < 0 || text.IndexOf(':', colon + 1) >= 0 ? -1 : colon; // several: an IPv6 address
            address = colon < 0 ? text : text[..colon];
        }

        if (colon < 0)
            return (text, null);
        string port = text[(colon + 1)..];
        if (port.Length == 0)
            throw ConntrackFault.Usage("No port specified after `:'");
        return port.All(char.IsAsciiDigit) && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
            ? (address, number)
            : throw ConntrackFault.Usage($"Invalid port `{port}'");
    }
}
