using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Output;

/// <summary>An address, with its port as a URL writes it: 192.0.2.1:443, [2001:db8::1]:443.</summary>
internal static class AddressPort
{
    /// <param name="port">Null: the address alone.</param>
    internal static string Text(IpAddress address, FlowFamily family, ushort? port)
    {
        string text = address.ToIPAddress(family).ToString();
        return port is not { } number ? text
            : family == FlowFamily.IPv6 ? FormattableString.Invariant($"[{text}]:{number}")
            : FormattableString.Invariant($"{text}:{number}");
    }
}
