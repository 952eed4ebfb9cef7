using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// Reads the values of a <see cref="FlowFilter"/> as conntrack-tools spells them; each failure says what is allowed. Types with a
/// <c>TryParse</c> have their own: <see cref="IpPrefix"/>, <see cref="NatEnd"/>, <see cref="MarkRange"/>, <see cref="StateMatch"/>,
/// <see cref="StatusMatch"/>.
/// </summary>
public static class FilterText
{
    private static readonly (string Name, IpProtocol Protocol)[] Protocols =
    [
        .. new[]
        {
            IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.UdpLite, IpProtocol.Sctp, IpProtocol.Dccp, IpProtocol.Gre, IpProtocol.Icmp,
            IpProtocol.IcmpV6,
        }.Select(static protocol => (protocol.Name(), protocol)),
    ];

    private static readonly (string Name, FlowFamily Family)[] Families =
        [(FlowFamily.IPv4.Name(), FlowFamily.IPv4), (FlowFamily.IPv6.Name(), FlowFamily.IPv6)];

    private static readonly (string Name, byte Role)[] Roles = [("client", 0), ("server", 1)]; // CT_DCCP_ROLE_*

    /// <summary>A name such as <c>tcp</c> or one of /etc/protocols, in any case, or a number from 0 to 255.</summary>
    public static bool TryParseProtocol(string? text, out IpProtocol protocol, [NotNullWhen(false)] out string? error)
    {
        error = null;
        if (byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
        {
            protocol = (IpProtocol)number;
            return true;
        }

        if (TryParseName(
            text, Protocols, "a protocol", ", another name of /etc/protocols, or a number from 0 to 255", out protocol, ref error))
            return true;
        if (!ProtocolFile.TryGet(text ?? "", out number))
            return false;
        protocol = (IpProtocol)number;
        error = null;
        return true;
    }

    /// <summary><c>client</c> (0) or <c>server</c> (1): who sends in a DCCP flow's original direction.</summary>
    public static bool TryParseRole(string? text, out byte role, [NotNullWhen(false)] out string? error)
    {
        error = null;
        return TryParseName(text, Roles, "a DCCP role", "", out role, ref error);
    }

    /// <summary><c>ipv4</c> or <c>ipv6</c>.</summary>
    public static bool TryParseFamily(string? text, out FlowFamily family, [NotNullWhen(false)] out string? error)
    {
        error = null;
        return TryParseName(text, Families, "a family", "", out family, ref error);
    }

    /// <summary>A port from 0 to 65535, or a range such as <c>8000-8100</c>.</summary>
    public static bool TryParsePorts(string? text, out PortRange ports, [NotNullWhen(false)] out string? error)
    {
        error = PortRange.TryParse(text, out ports) ? null : $"'{text}' is neither a port nor a range of ports such as 8000-8100";
        return error is null;
    }

    /// <summary>A key of GRE, such as a call id of PPTP: 0 to 65535, also 0x-hexadecimal.</summary>
    public static bool TryParseKey(string? text, out PortRange key, [NotNullWhen(false)] out string? error)
    {
        bool parsed = TryParseNumber(text, out uint value) && value <= ushort.MaxValue;
        key = (ushort)value;
        error = parsed ? null : $"'{text}' is not a key: a number from 0 to 65535, decimal or 0x-hexadecimal";
        return parsed;
    }

    /// <summary>A type or code of ICMP, from 0 to 255.</summary>
    public static bool TryParseIcmp(string? text, out byte value, [NotNullWhen(false)] out string? error)
    {
        bool parsed = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        error = parsed ? null : $"'{text}' is not a number from 0 to 255";
        return parsed;
    }

    /// <summary>An id of ICMP, from 0 to 65535.</summary>
    public static bool TryParseIcmpId(string? text, out ushort id, [NotNullWhen(false)] out string? error) =>
        TryParseUInt16(text, "an id of ICMP", out id, out error);

    /// <summary>A number of 32 bits, such as an entry's id or an SCTP tag, also 0x-hexadecimal.</summary>
    public static bool TryParseUInt32(string? text, out uint value, [NotNullWhen(false)] out string? error)
    {
        bool parsed = TryParseNumber(text, out value);
        error = parsed ? null : $"'{text}' is not a number of 32 bits, decimal or 0x-hexadecimal";
        return parsed;
    }

    /// <summary>A conntrack zone from 0 to 65535.</summary>
    public static bool TryParseZone(string? text, out ushort zone, [NotNullWhen(false)] out string? error) =>
        TryParseUInt16(text, "a zone", out zone, out error);

    internal static bool TryParseNumber(ReadOnlySpan<char> text, out uint value) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static bool TryParseName<T>(
        string? text, (string Name, T Value)[] names, string what, string alternative, out T value, [NotNullWhen(false)] ref string? error)
    {
        foreach ((string name, T candidate) in names)
        {
            if (!name.Equals(text, StringComparison.OrdinalIgnoreCase))
                continue;
            value = candidate;
            return true;
        }

        value = default!;
        error = $"'{text}' is not {what}; allowed are {string.Join(", ", names.Select(n => n.Name))}{alternative}";
        return false;
    }

    private static bool TryParseUInt16(string? text, string what, out ushort value, [NotNullWhen(false)] out string? error)
    {
        bool parsed = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        error = parsed ? null : $"'{text}' is not {what}: a number from 0 to 65535";
        return parsed;
    }
}
